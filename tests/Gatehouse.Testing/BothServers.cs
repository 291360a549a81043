using Xunit;

namespace Gatehouse.Testing;

/// <summary>One server per engine, started when a test first asks for it and shared by all tests of the fixture's owner.</summary>
public abstract class BothServers(params (string Name, string? Value)[] settings) : IAsyncLifetime
{
    private readonly Lazy<Task<GatehouseServer>> sqlite = new(() => GatehouseServer.Start(Engine.Sqlite, settings));
    private readonly Lazy<Task<GatehouseServer>> postgres = new(() => GatehouseServer.Start(Engine.Postgres, settings));

    /// <summary>The server on this engine.</summary>
    public Task<GatehouseServer> this[Engine engine] => (engine == Engine.Sqlite ? sqlite : postgres).Value;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (var server in new[] { sqlite, postgres })
        {
            if (server.IsValueCreated)
            {
                await (await server.Value).DisposeAsync();
            }
        }
    }
}

/// <summary>Servers without throttles, shared by the whole assembly: their clock stands still, and each test brings its own people.</summary>
public sealed class UnthrottledServers() : BothServers(("Gatehouse:RateLimits:Enabled", "false"));

/// <summary>Servers behind a trusted proxy, so that each test calls from an address of its own and meets untouched throttles.</summary>
public sealed class ProxiedServers() : BothServers(("Gatehouse:TrustedProxies:0", "127.0.0.1"));
