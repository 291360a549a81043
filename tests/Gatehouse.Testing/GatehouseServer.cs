using Gatehouse.Http;
using Gatehouse.Server.Commands;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Gatehouse.Testing;

/// <summary>The real server on loopback, composed as the command line composes it, with a clock that only the test moves.</summary>
public sealed class GatehouseServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly TestDatabase? owned;

    private GatehouseServer(
        WebApplication app, TestDatabase database, TestDatabase? owned, ManualTime time, int port, int internalPort, string issuer)
    {
        this.app = app;
        this.owned = owned;
        Database = database;
        Time = time;
        Url = new Uri($"http://127.0.0.1:{port}");
        InternalUrl = new Uri($"http://127.0.0.1:{internalPort}");
        Issuer = issuer;
    }

    public ManualTime Time { get; }

    public TestDatabase Database { get; }

    public Uri Url { get; }

    public Uri InternalUrl { get; }

    public string Issuer { get; }

    /// <summary>A server in Development, with the demo users and cheap password hashes, on a database of its own.</summary>
    public static async Task<GatehouseServer> Start(Engine engine, params (string Name, string? Value)[] settings)
    {
        var database = await TestDatabase.Empty(engine);
        return await Start(database, database, new ManualTime(), isDevelopment: true, settings);
    }

    /// <summary>A server as in production, without demo users; its issuer is <c>https://id.example.com</c>.</summary>
    public static async Task<GatehouseServer> StartInProduction(Engine engine, params (string Name, string? Value)[] settings)
    {
        var database = await TestDatabase.Empty(engine);
        (string, string?)[] required =
        [
            ("Gatehouse:Issuer", "https://id.example.com"),
            ("Gatehouse:Mail:Host", "127.0.0.1"),
            ("Gatehouse:Mail:From", "id@example.com"),
        ];
        return await Start(database, database, new ManualTime(), isDevelopment: false, [.. required, .. settings]);
    }

    /// <summary>One more server on the same database and clock.</summary>
    public Task<GatehouseServer> StartAnother(params (string Name, string? Value)[] settings) => Start(Database, null, Time, isDevelopment: true, settings);

    /// <summary>A part of the server.</summary>
    public T Get<T>()
        where T : notnull => app.Services.GetRequiredService<T>();

    /// <summary>A client of the internal listener that presents the service token.</summary>
    public ApiClient InternalClient() => new(InternalUrl) { Bearer = Get<HttpOptions>().ServiceToken };

    /// <summary>A client with connections of its own; redirects are not followed.</summary>
    /// <param name="from">The address that a trusted proxy would name; null for none.</param>
    public ApiClient Client(string? from = null) => new(Url, from);

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
        if (owned is not null)
        {
            await owned.DisposeAsync();
        }
    }

    private static async Task<GatehouseServer> Start(
        TestDatabase database, TestDatabase? owned, ManualTime time, bool isDevelopment, (string Name, string? Value)[] settings)
    {
        var (port, internalPort) = (FreePort.Next(), FreePort.Next());
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
            new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
            {
                ["GATEHOUSE_PORT"] = $"{port}",
                ["GATEHOUSE_INTERNAL_PORT"] = $"{internalPort}",
                ["GATEHOUSE_DATA"] = database.Folder,
                ["GATEHOUSE_POSTGRES"] = database.Postgres,
                ["Gatehouse:Issuer"] = $"http://localhost:{port}",
                ["Gatehouse:Passwords:MemoryKiB"] = "64",
                ["Gatehouse:Passwords:Passes"] = "1",
            }).AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Name, s.Value))).Build();
        var built = await ServeCommand.Build(configuration, isDevelopment, time, CancellationToken.None);
        await built.StartAsync();
        return new GatehouseServer(built, database, owned, time, port, internalPort, configuration["Gatehouse:Issuer"]!);
    }
}
