using Gatehouse.Storage;
using Gatehouse.Testing;
using Gatehouse.Users;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace Gatehouse.Http.Tests;

/// <summary>What the minute's chores remove, and that sign-in needs no scan of what they leave.</summary>
public sealed class HousekeepingTests
{
    private static readonly Sql CountSessions = new("SELECT count(*) FROM sessions");
    private static readonly Sql CountAddresses = new("SELECT count(*) FROM audit_events WHERE audit_ip <> ''");
    private static readonly Sql CountAudit = new("SELECT count(*) FROM audit_events");
    private static readonly Sql CountFeed = new("SELECT count(*) FROM session_feed");
    private static readonly Sql LoseThrottles = new("DROP TABLE throttles");

    [Theory]
    [BothEngines]
    public async Task Ended_sessions_go_after_a_month_addresses_too_and_audit_rows_after_400_days(Engine engine)
    {
        await using var server = await GatehouseServer.Start(engine);
        using var client = server.Client();
        await client.Login();
        var chores = server.Get<IEnumerable<IHostedService>>().OfType<Housekeeping>().Single();

        server.Time.Jump(TimeSpan.FromDays(29));
        await chores.RunOnce(TestContext.Current.CancellationToken);
        Assert.Equal(1, await Count(server, CountSessions));
        Assert.NotEqual(0, await Count(server, CountAddresses));
        Assert.Equal(0, await Count(server, CountFeed));

        server.Time.Jump(TimeSpan.FromDays(32));
        await chores.RunOnce(TestContext.Current.CancellationToken);
        Assert.Equal(0, await Count(server, CountSessions));
        Assert.Equal(0, await Count(server, CountAddresses));
        Assert.NotEqual(0, await Count(server, CountAudit));

        server.Time.Jump(TimeSpan.FromDays(340));
        await chores.RunOnce(TestContext.Current.CancellationToken);
        Assert.Equal(0, await Count(server, CountAudit));
    }

    [Theory]
    [BothEngines]
    public async Task A_chore_that_fails_stops_no_other(Engine engine)
    {
        await using var server = await GatehouseServer.Start(engine, ("Gatehouse:RateLimits:Enabled", "false"));
        using var client = server.Client();
        await client.Login();
        await using (var database = server.Database.Open())
        {
            await database.Execute(LoseThrottles, TestContext.Current.CancellationToken);
        }

        server.Time.Jump(TimeSpan.FromMinutes(11));
        await server.Get<IEnumerable<IHostedService>>().OfType<Housekeeping>().Single().RunOnce(TestContext.Current.CancellationToken);

        Assert.Equal(0, await Count(server, CountFeed));
    }

    [Fact]
    public async Task Finding_a_user_by_address_uses_the_index()
    {
        await using var server = await GatehouseServer.Start(Engine.Sqlite);
        await using var database = server.Database.Open();

        // A partial index serves only statements that repeat its condition.
        var plan = await database.Query(
            new Sql($"EXPLAIN QUERY PLAN {UserStore.ByEmailText}"),
            row => row.Text(3),
            TestContext.Current.CancellationToken,
            ("email", "somebody@example.com"));

        Assert.Contains("users_email", Assert.Single(plan), StringComparison.Ordinal);
    }

    private static async Task<long> Count(GatehouseServer server, Sql sql)
    {
        await using var database = server.Database.Open();
        return await database.QueryOne(sql, row => row.Long(0), TestContext.Current.CancellationToken);
    }
}
