using System.Text.Json;
using Gatehouse.Sessions;
using Gatehouse.Storage;
using Gatehouse.Testing;
using Npgsql;
using Xunit;

namespace Gatehouse.Faults.Tests;

/// <summary>Killed after a change is stored and before it is published, a server publishes it when it is back.</summary>
public sealed class PublishKillTests
{
    private const string ServiceToken = "service-token-of-a-test";

    private static readonly Sql FindStatus = new("SELECT session_status FROM sessions WHERE session_id = @session");

    private static readonly Sql Published =
        new("SELECT feed_snapshot FROM session_feed WHERE feed_session_id = @session");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    [Requirement("S4-55")]
    public async Task What_was_stored_and_not_published_is_published_after_the_restart(Engine engine)
    {
        await using var database = await TestDatabase.Empty(engine);
        await using var feed = await TestDatabase.Empty(Engine.Postgres);
        (string, string?)[] settings =
            [("Gatehouse__Projection__ConnectionString", feed.Postgres), ("GATEHOUSE_INTERNAL_TOKEN", ServiceToken)];
        Guid session;
        var (store, published) = (database.Open(), feed.Open());
        await using (var server = await ServerProcess.Start(database, settings))
        {
            using var client = server.Client();
            using var inside = new ApiClient(server.InternalUrl) { Bearer = ServiceToken };
            session = Guid.Parse((await client.Login())["sessionId"]);
            await using var connection = new NpgsqlConnection(feed.Postgres);
            await connection.OpenAsync(Ct);
            await using var transaction = await connection.BeginTransactionAsync(Ct);
            await using (var hold = new NpgsqlCommand("LOCK TABLE session_feed IN SHARE MODE", connection))
            {
                await hold.ExecuteNonQueryAsync(Ct);
            }

            var revoke = inside.Post(
                $"/api/v1/internal/sessions/{session}/revoke", new { reason_code = "stolen", actor = new { type = "service", id = "test" } });
            await Eventually.Holds(async () => await Status(store, session) == SessionStatus.Revoked);
            server.Kill();
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => revoke);

            // What the dead server had sent and PostgreSQL has not yet done does not get done either.
            await using var forget = new NpgsqlCommand(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()", connection);
            await forget.ExecuteNonQueryAsync(Ct);
        }

        Assert.DoesNotContain(SessionStatus.Revoked, await Snapshots(published, session));
        await using var again = await ServerProcess.Start(database, settings);
        await Eventually.Holds(async () => (await Snapshots(published, session)).Contains(SessionStatus.Revoked));
    }

    private static Task<string?> Status(Database store, Guid session) =>
        store.QueryOne(FindStatus, row => row.Text(0), Ct, ("session", session));

    private static async Task<IEnumerable<string>> Snapshots(Database feed, Guid session) =>
        (await feed.Query(Published, row => JsonDocument.Parse(row.Text(0)).RootElement.GetProperty("status").GetString()!, Ct, ("session", session))).Order();
}
