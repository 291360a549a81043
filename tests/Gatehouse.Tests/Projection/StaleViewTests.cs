using Gatehouse.Projection;
using Gatehouse.Sessions;
using Gatehouse.Storage;
using Gatehouse.Testing;
using Gatehouse.Tests.Sessions;
using Gatehouse.Tests.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Gatehouse.Tests.Projection;

/// <summary>A process that no longer hears of changes stops trusting what it remembers.</summary>
public sealed class StaleViewTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    public async Task Beyond_five_seconds_of_silence_the_store_decides(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var (cache, database) = Cache(fixture);
        var session = (await fixture.Node.OpenForNewUser()).Session;
        Assert.Equal(SessionStatus.Active, (await cache.Get(session.SessionId, Ct))!.Status);
        await fixture.Node.End(session.SessionId);

        fixture.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(SessionStatus.Active, (await cache.Get(session.SessionId, Ct))!.Status);
        fixture.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(SessionStatus.Revoked, (await cache.Get(session.SessionId, Ct))!.Status);
        Assert.Null(await cache.Get(Guid.NewGuid(), Ct));
        Assert.Equal(3, database.Calls);
    }

    [Theory]
    [BothEngines]
    public async Task While_the_view_is_old_requests_about_one_session_share_one_question(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var (cache, database) = Cache(fixture);
        var session = (await fixture.Node.OpenForNewUser()).Session;
        fixture.Time.Advance(TimeSpan.FromSeconds(6));
        var held = database.HoldNextAnswer();

        var questions = Enumerable.Range(0, 50).Select(_ => cache.Get(session.SessionId, Ct).AsTask()).ToList();
        await held.Decided;
        held.Release();

        Assert.All(await Task.WhenAll(questions), answer => Assert.Equal(session.SessionId, answer!.SessionId));
        Assert.Equal(1, database.Calls);
    }

    [Fact]
    public async Task At_most_sixty_four_sessions_are_asked_about_at_once_and_the_rest_are_told_to_come_back()
    {
        await using var fixture = await SessionFixture.Create(Engine.Postgres);
        var (cache, _) = Cache(fixture);
        fixture.Time.Advance(TimeSpan.FromSeconds(6));
        var lockAll = await OpenTransaction.Begin(
            fixture.Raw, tx => tx.Execute(new Sql("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE"), Ct));

        var questions = Enumerable.Range(0, 80).Select(_ => cache.Get(Guid.NewGuid(), Ct).AsTask()).ToList();
        var refused = questions.Where(question => question.IsFaulted).ToList();

        Assert.Equal(16, refused.Count);
        Assert.All(refused, question => Assert.IsType<DatabaseUnavailableException>(question.Exception!.InnerException));
        await lockAll.Commit();
        Assert.All(await Task.WhenAll(questions.Except(refused)), Assert.Null);
        Assert.Null(await cache.Get(Guid.NewGuid(), Ct));
    }

    [Theory]
    [BothEngines]
    public async Task The_follower_proves_the_view_once_a_second_with_a_heartbeat(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var view = new FeedView(fixture.Time, new ProjectionOptions());
        var (cache, _) = Cache(fixture, view);
        var signal = new FeedSignal();
        using var follower = new FeedFollower(
            fixture.Node.Feed, view, signal, cache, fixture.Time, NullLogger<FeedFollower>.Instance);
        await follower.StartAsync(Ct);
        for (var i = 0; i < 8; i++)
        {
            // In steps, as a clock goes: the follower looks at each, and once a second with a heartbeat.
            fixture.Time.Advance(TimeSpan.FromSeconds(1));
            await Eventually.Holds(() =>
            {
                fixture.Time.Advance(TimeSpan.FromMilliseconds(50));
                return view.Age < TimeSpan.FromSeconds(1);
            });
        }
        Assert.Equal(
            engine == Engine.Postgres ? 1 : 0,
            await fixture.Raw.QueryOne(new Sql("SELECT count(*) FROM feed_heartbeats"), row => row.Long(0), Ct));
        await follower.StopAsync(Ct);
    }

    [Fact]
    public async Task A_heartbeat_that_cannot_be_committed_proves_nothing()
    {
        await using var fixture = await SessionFixture.Create(Engine.Postgres);
        await fixture.Node.Feed.Start(Ct);

        // What a standby, or an old primary that was fenced, answers to every write.
        await fixture.Raw.Execute(new Sql("ALTER TABLE feed_heartbeats RENAME TO gone"), Ct);
        await Assert.ThrowsAnyAsync<Exception>(() => fixture.Node.Feed.Read(withHeartbeat: true, Ct));
        Assert.Empty((await fixture.Node.Feed.Read(withHeartbeat: false, Ct)).Changes);
    }

    private static (SessionCache Cache, ObservedDatabase Database) Cache(SessionFixture fixture, FeedView? view = null)
    {
        var database = new ObservedDatabase(fixture.Raw);
        return (
            new SessionCache(
                new SessionStore(database, fixture.Time), view ?? new FeedView(fixture.Time, new ProjectionOptions()), fixture.Time, fixture.Options),
            database);
    }
}
