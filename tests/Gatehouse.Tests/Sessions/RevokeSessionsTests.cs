using Gatehouse.Sessions;
using Gatehouse.Testing;
using Gatehouse.Tests.Storage;
using Xunit;

namespace Gatehouse.Tests.Sessions;

public sealed class RevokeSessionsTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    public async Task Revoked_is_the_end_and_a_second_end_changes_nothing(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var node = fixture.Node;
        var opened = await node.OpenForNewUser();
        var id = opened.Session.SessionId;

        Assert.Equal(SessionStatus.Revoked, Assert.Single(await node.End(id)).Status);
        var ended = await fixture.Row(id);
        fixture.Time.Advance(TimeSpan.FromHours(1));

        Assert.Equal(ended.Version, Assert.Single(await node.End(id, "again")).Version);
        Assert.Empty(await node.EndAll(opened.Session.UserId));
        Assert.IsType<RefreshOutcome.Revoked>(await node.TryRefresh(opened.RefreshToken));
        await node.BlockThem(opened.Session.UserId);
        Assert.Equal(ended, await fixture.Row(id));
        Assert.Equal(1, await fixture.CountAudit(id, "session.revoked"));
    }

    [Theory]
    [BothEngines]
    public async Task Somebody_elses_session_is_not_ended_as_ones_own(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var node = fixture.Node;
        var (mine, theirs) = (await node.OpenForNewUser(), await node.OpenForNewUser());

        Assert.Empty(await node.Revoke.Own(theirs.Session.SessionId, mine.Session.UserId, "logout", SessionNode.Origin, Ct));
        Assert.Equal(BearerFailure.None, await node.Check(theirs.Session));

        Assert.Single(await node.Revoke.Own(mine.Session.SessionId, mine.Session.UserId, "logout", SessionNode.Origin, Ct));
        Assert.Equal(BearerFailure.Revoked, await node.Check(mine.Session));
    }

    [Theory]
    [BothEngines]
    public async Task All_but_one_end_and_the_one_goes_on(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var node = fixture.Node;
        var user = await node.NewUser();
        var kept = await node.Open(user);
        await Together.Run(4, _ => node.Open(user));

        Assert.Equal(4, (await node.EndAll(user.UserId, kept.Session.SessionId)).Count);

        Assert.Equal(1, await fixture.CountLive(user.UserId));
        Assert.Equal(BearerFailure.None, await node.Check(kept.Session));
    }

    [Theory]
    [BothEngines]
    public async Task What_hangs_below_a_session_ends_with_it_whatever_ends_it(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine, new SessionOptions { Limit = 2 });
        var node = fixture.Node;
        await Ends((_, parent) => node.End(parent.Session.SessionId));
        await Ends((_, parent) => node.Revoke.Own(parent.Session.SessionId, parent.Session.UserId, "logout", SessionNode.Origin, Ct));
        await Ends(async (_, parent) =>
        {
            await node.Refresh(parent.RefreshToken);
            fixture.Time.Advance(TimeSpan.FromSeconds(30));
            await node.TryRefresh(parent.RefreshToken);
        });
        await Ends(async (user, _) =>
        {
            fixture.Time.Advance(TimeSpan.FromSeconds(1));
            await node.Open(user);
            await node.Open(user);
        });

        async Task Ends(Func<Gatehouse.Users.User, OpenedSession, Task> end)
        {
            var user = await node.NewUser();
            var parent = await node.Open(user);

            // The child is of a kind that the session limit does not count.
            var child = await node.Open(user, SessionKind.OAuth);
            await fixture.Raw.Execute(SessionRows.SetParent, Ct, ("parent", parent.Session.SessionId), ("id", child.Session.SessionId));
            await end(user, parent);
            Assert.Equal(BearerFailure.Revoked, await node.Check(parent.Session));
            Assert.Equal(BearerFailure.Revoked, await node.Check(child.Session));
            Assert.Equal(1, await fixture.CountAudit(child.Session.SessionId, "session.revoked"));
        }
    }

    [Theory]
    [BothEngines]
    public async Task Ends_of_all_sessions_racing_each_other_and_sign_ins_never_deadlock(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        SessionNode[] nodes = [fixture.Node, await fixture.StartAnother()];
        var user = await fixture.Node.NewUser();
        for (var repetition = 0; repetition < 15; repetition++)
        {
            await Together.Run(8, i => nodes[i % 2].Open(user));

            await Together.Run(
                () => nodes[0].EndAll(user.UserId),
                () => nodes[1].Open(user),
                () => nodes[1].EndAll(user.UserId),
                () => nodes[0].Open(user));

            Assert.InRange(await fixture.CountLive(user.UserId), 0, 2);
        }
    }

    [Fact]
    public async Task The_end_of_a_session_with_others_below_it_cannot_deadlock_with_the_end_of_all()
    {
        await using var fixture = await SessionFixture.Create(Engine.Postgres);
        var node = fixture.Node;
        var user = await node.NewUser();
        var child = (await node.Open(user)).Session.SessionId;
        var parent = await node.Open(user);
        var id = parent.Session.SessionId;
        await fixture.Raw.Execute(SessionRows.SetParent, Ct, ("parent", id), ("id", child));
        await node.Refresh(parent.RefreshToken);

        // The parent's row lies behind the child's, so that whoever goes through all meets the child first.
        await fixture.Raw.Execute(SessionRows.SetStatus, Ct, ("status", "moved"), ("id", id));
        await fixture.Raw.Execute(SessionRows.SetStatus, Ct, ("status", SessionStatus.Active), ("id", id));
        fixture.Time.Advance(TimeSpan.FromSeconds(30));

        var inTheWay = await OpenTransaction.Begin(
            fixture.Raw, tx => tx.Execute(SessionRows.SetStatus, Ct, ("status", SessionStatus.Active), ("id", child)));
        var all = node.EndAll(user.UserId);
        await PostgresLocks.Wait(fixture.Raw, 1);
        var reused = node.TryRefresh(parent.RefreshToken);
        await PostgresLocks.Wait(fixture.Raw, 2);
        await inTheWay.Commit();

        Assert.Equal(2, (await all).Count);
        Assert.IsType<RefreshOutcome.Revoked>(await reused);
    }
}
