using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Gatehouse.Testing;

/// <summary>A real SMTP server (tests/node/smtp-server.mjs) for the length of one test.</summary>
public sealed class SmtpServer : IAsyncDisposable
{
    private readonly Process process;

    private SmtpServer(Process process, int port) => (this.process, Port) = (process, port);

    public int Port { get; }

    public static async Task<SmtpServer> Start(CancellationToken ct, params string[] arguments)
    {
        var start = new ProcessStartInfo("node")
        {
            WorkingDirectory = Path.Combine(Repository.Root, "tests", "node"),
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.ArgumentList.Add("smtp-server.mjs");
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        var node = Process.Start(start)!;
        var line = await node.StandardOutput.ReadLineAsync(ct).AsTask().WaitAsync(TimeSpan.FromSeconds(30), ct)
            ?? throw new InvalidOperationException("The SMTP server did not start; run npm install in tests/node.");
        return new SmtpServer(node, int.Parse(line.AsSpan("listening ".Length), CultureInfo.InvariantCulture));
    }

    /// <summary>The next message the server accepted.</summary>
    public async Task<JsonElement> Received(CancellationToken ct) => JsonDocument.Parse(
        (await process.StandardOutput.ReadLineAsync(ct).AsTask().WaitAsync(TimeSpan.FromSeconds(30), ct))!).RootElement;

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
