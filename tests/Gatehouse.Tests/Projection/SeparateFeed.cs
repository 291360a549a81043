using Gatehouse.Storage;
using Gatehouse.Testing;

namespace Gatehouse.Tests.Projection;

/// <summary>A PostgreSQL server for the session feed alone, which a test stops and starts when it likes.</summary>
internal sealed class SeparateFeed : IAsyncDisposable
{
    private readonly PostgresServer server;

    private SeparateFeed(PostgresServer server, string connectionString)
    {
        this.server = server;
        ConnectionString = connectionString;
        Database = Database.Open(connectionString, "");
    }

    public string ConnectionString { get; }

    public Database Database { get; }

    public static async Task<SeparateFeed> Start()
    {
        var started = await PostgresServer.Start("fsync=off");
        var feed = new SeparateFeed(started, await started.CreateDatabase());
        await Migrations.Apply(feed.Database, TimeProvider.System, CancellationToken.None);
        return feed;
    }

    /// <summary>From now on nothing can be published.</summary>
    public Task Break() => server.Stop("immediate");

    public Task Mend() => server.Launch();

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        await server.DisposeAsync();
    }
}
