using Gatehouse.Http.OpenApi;
using Gatehouse.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gatehouse.Http;

/// <summary>For whoever starts and restarts us: <c>/health/live</c> and <c>/health/ready</c>.</summary>
public sealed class Health(Database database, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly Sql Ping = new("SELECT 1");

    /// <summary>Maps the two routes.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapSurface(Tag.Operations, "/health");
        group.MapGet("/live", http => http.Answer(200, "{\"status\":\"live\"}"u8.ToArray()))
            .Describe("Is the process alive?", "A failure here means: restart it.")
            .Answers<HealthAnswer>(200, "It is.");
        group.MapGet("/ready", Ready)
            .Describe("Can it answer requests?", "It can when its store answers. A failure here means: send requests elsewhere.")
            .Answers<HealthAnswer>(200, "It can.");
    }

    // Ready means that the next request can be answered, and that needs the store.
    private async Task Ready(HttpContext http)
    {
        await AskStore();
        await http.Answer(200, "{\"status\":\"ready\"}"u8.ToArray());
    }

    /// <exception cref="DatabaseUnavailableException">It does not answer, or not within two seconds.</exception>
    internal async Task AskStore()
    {
        using var patience = new CancellationTokenSource(Patience, time);
        try
        {
            await database.QueryOne(Ping, row => row.Long(0), patience.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            throw new DatabaseUnavailableException("The store did not answer in time.");
        }
    }
}

/// <summary>How the server feels.</summary>
internal sealed record HealthAnswer(string Status);
