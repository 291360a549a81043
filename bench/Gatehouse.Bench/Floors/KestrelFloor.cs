using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Gatehouse.Bench.Floors;

/// <summary>What an answer costs when nobody looks at the question: a slim host, no routing, one constant JSON.</summary>
internal static class KestrelFloor
{
    public static async Task Run(int port, int bytes)
    {
        var json = Encoding.ASCII.GetBytes($"{{\"constant\":\"{new string('x', bytes - 15)}\"}}");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ListenLocalhost(port);
        });
        await using var app = builder.Build();
        app.Run(http =>
        {
            http.Response.ContentType = "application/json";
            http.Response.ContentLength = json.Length;
            return http.Response.Body.WriteAsync(json).AsTask();
        });
        await app.StartAsync();
        await Console.Out.WriteLineAsync("ready");
        await ((IHost)app).WaitForShutdownAsync();
    }
}
