using Gatehouse.Challenges;
using Gatehouse.Sessions;
using Gatehouse.Storage;
using Gatehouse.Testing;
using Gatehouse.Tests.Challenges;
using Gatehouse.Users;
using Xunit;

namespace Gatehouse.Tests.Projection;

/// <summary>The feed is in a database of its own, and fails on command.</summary>
public sealed class SeparateProjectionTests
{
    private static readonly Sql SetStatus = new("UPDATE sessions SET session_status = 'active', revoked_at = 0, reason_code = '', revoked_by = ''");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    [Requirement("S4-55", "S4-56", "S4-58", "S4-60", "S4-61", "S4-62", "S4-63", "S4-64")]
    public async Task A_confirmation_that_could_not_be_published_is_repaired_by_its_repetition(Engine engine)
    {
        await using var feed = await SeparateFeed.Start();
        await using var fixture = await ChallengeFixture.Create(engine, feed: feed.Database);
        await fixture.Node.Feed.Start(Ct);
        var (id, code) = await fixture.Challenge(fixture.NewAddress());

        await feed.Break();
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => fixture.Node.TryConfirm(id, code));
        Assert.Equal(ChallengeStatus.ConfirmedPendingExpire, (await fixture.Row(id)).Status);
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => fixture.Node.TryConfirm(id, code));
        await feed.Mend();
        var confirmed = await fixture.Node.ConfirmCode(id, code);

        Assert.Equal(1, await fixture.Sessions.CountLive(confirmed.Session.UserId));
        var published = Assert.Single(await fixture.Node.ReadFeed());
        Assert.Equal((confirmed.Session.SessionId, SessionStatus.Active), (published.SessionId, published.Status));
        Assert.Equal((0, TimeSpan.Zero), await fixture.Node.Repairer.Backlog(Ct));
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-63")]
    public async Task A_repetition_publishes_what_is_stored_by_then(Engine engine)
    {
        await using var feed = await SeparateFeed.Start();
        await using var fixture = await ChallengeFixture.Create(engine, feed: feed.Database);
        await fixture.Node.Feed.Start(Ct);
        var user = await fixture.Node.NewUser();
        var (id, code) = await fixture.Challenge(user.Email);
        await feed.Break();
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => fixture.Node.TryConfirm(id, code));
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => fixture.Node.EndAll(user.UserId));
        await feed.Mend();

        Assert.IsType<ConfirmOutcome.Revoked>(await fixture.Node.TryConfirm(id, code));

        Assert.Equal(SessionStatus.Revoked, Assert.Single(await fixture.Node.ReadFeed()).Status);
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-52", "S4-55", "S4-56", "S4-59")]
    public async Task A_revoke_and_a_block_that_could_not_be_published_are_effective_here_and_repaired_by_repetition(Engine engine)
    {
        await using var feed = await SeparateFeed.Start();
        await using var fixture = await ChallengeFixture.Create(engine, feed: feed.Database);
        var (user, other) = (await fixture.Node.NewUser(), await fixture.Node.NewUser());
        var (first, second) = (await fixture.Node.Open(user), await fixture.Node.Open(other));
        await fixture.Node.Feed.Start(Ct);

        await feed.Break();
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => fixture.Node.End(first.Session.SessionId));
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => fixture.Node.BlockThem(other.UserId));

        // The store is right already, and so is this process.
        Assert.Equal(BearerFailure.Revoked, await fixture.Node.Check(first.Session));
        Assert.Equal(BearerFailure.Revoked, await fixture.Node.Check(second.Session));
        await feed.Mend();
        var again = await fixture.Node.End(first.Session.SessionId);
        var blocked = Assert.IsType<EndUserOutcome.Done>(await fixture.Node.BlockThem(other.UserId));

        Assert.Equal(first.Session.SessionId, Assert.Single(again).SessionId);
        Assert.Equal(second.Session.SessionId, Assert.Single(blocked.Sessions).SessionId);
        var published = await fixture.Node.ReadFeed();
        Assert.Equal(
            new[] { first.Session.SessionId, second.Session.SessionId }.Order(), published.Select(snapshot => snapshot.SessionId).Order());
        Assert.All(published, snapshot => Assert.Equal(SessionStatus.Revoked, snapshot.Status));
    }

    [Theory]
    [BothEngines]
    public async Task What_nobody_repeats_the_repairer_publishes(Engine engine)
    {
        await using var feed = await SeparateFeed.Start();
        await using var fixture = await ChallengeFixture.Create(engine, feed: feed.Database);
        var node = fixture.Node;
        var ended = (await node.OpenForNewUser()).Session;
        await node.Feed.Start(Ct);
        await feed.Break();
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => node.End(ended.SessionId));
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => node.Repairer.RepairOnce(Ct));
        fixture.Time.Advance(TimeSpan.FromSeconds(3));
        var (count, lag) = await node.Repairer.Backlog(Ct);
        Assert.Equal(1, count);
        Assert.InRange(lag, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(3));

        await feed.Mend();

        Assert.Equal(1, await node.Repairer.RepairOnce(Ct));
        Assert.Equal(0, await node.Repairer.RepairOnce(Ct));
        Assert.Equal((ended.SessionId, SessionStatus.Revoked), Assert.Single(
            (await node.ReadFeed()).Select(snapshot => (snapshot.SessionId, snapshot.Status))));
        Assert.Equal((0, TimeSpan.Zero), await node.Repairer.Backlog(Ct));
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-72", "S4-74")]
    public async Task A_loser_whose_end_cannot_be_published_is_told_of_the_winner_all_the_same(Engine engine)
    {
        await using var feed = await SeparateFeed.Start();
        await using var fixture = await ChallengeFixture.Create(engine, feed: feed.Database);
        var (id, code) = await fixture.Challenge((await fixture.Node.NewUser()).Email);
        var first = fixture.Node.Database.HoldNextAnswer();
        var losing = fixture.Node.TryConfirm(id, code);
        await first.Decided;
        var winner = await fixture.Node.ConfirmCode(id, code);

        // The feed is away while the loser's end is published, and back before it looks again.
        await feed.Break();
        var second = fixture.Node.Database.HoldNextAnswer();
        first.Release();
        await second.Decided;
        var third = fixture.Node.Database.HoldNextAnswer();
        second.Release();
        await third.Decided;
        await feed.Mend();
        third.Release();

        Assert.Equal(winner.Session.SessionId, Assert.IsType<ConfirmOutcome.Confirmed>(await losing).Session.SessionId);
        Assert.Equal(1, (await fixture.Node.Repairer.Backlog(Ct)).Count);
        Assert.Equal(1, await fixture.Node.Repairer.RepairOnce(Ct));
    }

    [Theory]
    [BothEngines]
    public async Task A_caller_who_hangs_up_after_the_change_is_stored_keeps_nobody_from_hearing_of_it(Engine engine)
    {
        await using var feed = await SeparateFeed.Start();
        await using var fixture = await ChallengeFixture.Create(engine, feed: feed.Database);
        var session = (await fixture.Node.OpenForNewUser()).Session;
        await fixture.Node.Feed.Start(Ct);
        using var patience = new CancellationTokenSource();
        var held = fixture.Node.Database.HoldNextAnswer();
        var revoke = fixture.Node.Revoke.One(session.SessionId, "stolen", Actor.System, Sessions.SessionNode.Origin, patience.Token);
        await held.Decided;
        await patience.CancelAsync();
        held.Release();

        await revoke;
        Assert.Equal(SessionStatus.Revoked, Assert.Single(await fixture.Node.ReadFeed()).Status);
    }

    [Theory]
    [BothEngines]
    public async Task What_the_feed_calls_revoked_is_revoked_in_a_store_that_forgot_it(Engine engine)
    {
        await using var feed = await SeparateFeed.Start();
        await using var fixture = await ChallengeFixture.Create(engine, feed: feed.Database);
        var node = fixture.Node;
        var (forgotten, live) = ((await node.OpenForNewUser()).Session, (await node.OpenForNewUser()).Session);
        await node.End(forgotten.SessionId, "stolen");

        // As after a backup from before the revoke was restored.
        await fixture.Sessions.Raw.Execute(SetStatus, Ct);

        Assert.Equal(1, await node.Repairer.RevokeForgotten(since: 0, Ct));
        Assert.Equal(0, await node.Repairer.RevokeForgotten(since: 0, Ct));
        var row = await fixture.Sessions.Row(forgotten.SessionId);
        Assert.Equal((SessionStatus.Revoked, "stolen"), (row.Status, row.Reason));
        Assert.Equal(SessionStatus.Active, (await fixture.Sessions.Row(live.SessionId)).Status);
    }

    [Theory]
    [BothEngines]
    public async Task A_rebuild_publishes_every_session_there_is(Engine engine)
    {
        await using var feed = await SeparateFeed.Start();
        await using var fixture = await ChallengeFixture.Create(engine, feed: feed.Database);
        var ids = new List<Guid>();
        for (var i = 0; i < 3; i++)
        {
            ids.Add((await fixture.Node.OpenForNewUser()).Session.SessionId);
        }

        await fixture.Node.End(ids[0]);
        await feed.Database.Execute(new Sql("DELETE FROM session_feed"), Ct);
        await fixture.Node.Feed.Start(Ct);
        var told = new List<int>();

        Assert.Equal(3, await fixture.Node.Repairer.Rebuild(told.Add, Ct));

        Assert.Equal([3], told);
        var published = (await fixture.Node.ReadFeed()).ToDictionary(snapshot => snapshot.SessionId, snapshot => snapshot.Status);
        Assert.Equal(ids.Order(), published.Keys.Order());
        Assert.Equal(SessionStatus.Revoked, published[ids[0]]);
    }
}
