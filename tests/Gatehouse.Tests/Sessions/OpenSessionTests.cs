using Gatehouse.Sessions;
using Gatehouse.Testing;
using Gatehouse.Tests.Storage;
using Xunit;

namespace Gatehouse.Tests.Sessions;

public sealed class OpenSessionTests
{
    private const int Repetitions = 40;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    [Requirement("S3-65")]
    public async Task A_user_has_a_session_for_each_device_and_each_ends_by_itself(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var node = fixture.Node;
        var user = await node.NewUser();
        var phone = await node.Open(user, SessionKind.Device);
        var browser = await node.Open(user);

        Assert.Equal(2, await fixture.CountLive(user.UserId));
        await node.End(phone.Session.SessionId);

        Assert.Equal(BearerFailure.Revoked, await node.Check(phone.Session));
        Assert.Equal(BearerFailure.None, await node.Check(browser.Session));
        await node.Refresh(browser.RefreshToken);
    }

    [Theory]
    [BothEngines]
    public async Task What_was_checked_before_a_block_or_a_change_of_password_opens_nothing(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var node = fixture.Node;
        var (blocked, changed) = (await node.NewUser(), await node.NewUser());

        await node.BlockThem(blocked.UserId);
        await node.ChangePassword(changed.UserId);

        Assert.IsType<OpenOutcome.Refused>(await node.TryOpen(blocked));
        Assert.IsType<OpenOutcome.Refused>(await node.TryOpen(blocked with { AuthEpoch = blocked.AuthEpoch + 1 }));
        Assert.IsType<OpenOutcome.Refused>(await node.TryOpen(changed));
        Assert.IsType<OpenOutcome.Opened>(await node.TryOpen(changed with { AuthEpoch = changed.AuthEpoch + 1 }));
    }

    [Theory]
    [BothEngines]
    public async Task A_session_that_is_ended_before_its_opener_hears_of_it_is_known_as_ended(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var node = fixture.Node;
        var user = await node.NewUser();
        var held = node.Database.HoldNextAnswer();
        var opening = node.Open(user);
        await held.Decided;

        await node.BlockThem(user.UserId);
        held.Release();

        Assert.Equal(BearerFailure.Revoked, await node.Check((await opening).Session));
    }

    [Theory]
    [BothEngines]
    public async Task A_sign_in_racing_a_block_or_a_change_of_password_leaves_no_session(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var node = fixture.Node;
        await Race(user => node.BlockThem(user));
        await Race(node.ChangePassword);

        async Task Race(Func<Guid, Task> end)
        {
            for (var repetition = 0; repetition < Repetitions; repetition++)
            {
                var user = await node.NewUser();
                var opening = new TaskCompletionSource<OpenOutcome>();
                Func<Task> open = async () => opening.SetResult(await node.TryOpen(user));
                Func<Task> over = () => end(user.UserId);
                await Together.Run(repetition % 2 == 0 ? [open, over] : [over, open]);

                Assert.Equal(0, await fixture.CountLive(user.UserId));
                if (await opening.Task is OpenOutcome.Opened opened)
                {
                    Assert.Equal(BearerFailure.Revoked, await node.Check(opened.Session.Session));
                    Assert.IsType<RefreshOutcome.Revoked>(await node.TryRefresh(opened.Session.RefreshToken));
                }
            }
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-35")]
    public async Task At_the_limit_the_least_recently_used_session_ends_and_the_newest_stay(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine, new SessionOptions { Limit = 3 });
        var node = fixture.Node;
        var user = await node.NewUser();
        var sessions = new List<OpenedSession>();
        for (var i = 0; i < 3; i++)
        {
            sessions.Add(await node.Open(user));
            fixture.Time.Advance(TimeSpan.FromMinutes(1));
        }

        // The oldest is used, and so the second is the least recently used one.
        await node.Refresh(sessions[0].RefreshToken);
        fixture.Time.Advance(TimeSpan.FromMinutes(1));
        sessions.Add(await node.Open(user));

        Assert.Equal(BearerFailure.Revoked, await node.Check(sessions[1].Session));
        Assert.Equal("session_limit_evicted", (await fixture.Row(sessions[1].Session.SessionId)).Reason);
        foreach (var stays in (OpenedSession[])[sessions[0], sessions[2], sessions[3]])
        {
            Assert.Equal(BearerFailure.None, await node.Check(stays.Session));
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-35")]
    public async Task Parallel_sign_ins_never_leave_more_than_the_limit_and_the_newest_survives(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine, new SessionOptions { Limit = 5 });
        SessionNode[] nodes = [fixture.Node, await fixture.StartAnother()];
        for (var repetition = 0; repetition < 6; repetition++)
        {
            var user = await fixture.Node.NewUser();
            await Together.Run(16, i => nodes[i % 2].Open(user));
            Assert.Equal(5, await fixture.CountLive(user.UserId));

            fixture.Time.Advance(TimeSpan.FromSeconds(1));
            var newer = await Together.Run(4, i => nodes[i % 2].Open(user));
            Assert.Equal(5, await fixture.CountLive(user.UserId));
            foreach (var session in newer)
            {
                Assert.Equal(SessionStatus.Active, (await fixture.Row(session.Session.SessionId)).Status);
            }
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-35")]
    public async Task The_policy_that_rejects_is_never_exceeded(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(
            engine, new SessionOptions { Limit = 5, LimitPolicy = SessionLimitPolicy.Reject });
        SessionNode[] nodes = [fixture.Node, await fixture.StartAnother()];
        var user = await fixture.Node.NewUser();

        var outcomes = await Together.Run(20, i => nodes[i % 2].TryOpen(user));

        Assert.Equal(5, outcomes.OfType<OpenOutcome.Opened>().Count());
        Assert.Equal(15, outcomes.OfType<OpenOutcome.LimitReached>().Count());
        Assert.Equal(5, await fixture.CountLive(user.UserId));

        await fixture.Node.End(outcomes.OfType<OpenOutcome.Opened>().First().Session.Session.SessionId);
        Assert.IsType<OpenOutcome.Opened>(await fixture.Node.TryOpen(user));
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-35")]
    public async Task The_limit_can_be_changed_while_running(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var user = await fixture.Node.NewUser();
        for (var i = 0; i < 6; i++)
        {
            await fixture.Node.Open(user);
        }

        await fixture.Raw.Execute(SessionRows.SetLimit, Ct, ("limit", "2"));
        await fixture.Node.Open(user);
        Assert.Equal(2, await fixture.CountLive(user.UserId));

        await fixture.Raw.Execute(SessionRows.SetLimit, Ct, ("limit", "4"));
        await Together.Run(5, _ => fixture.Node.Open(user));
        Assert.Equal(4, await fixture.CountLive(user.UserId));
    }

    [Fact]
    public async Task An_eviction_that_waits_for_another_end_of_the_session_does_not_overwrite_it()
    {
        await using var fixture = await SessionFixture.Create(Engine.Postgres, new SessionOptions { Limit = 1 });
        var node = fixture.Node;
        var user = await node.NewUser();
        var oldest = (await node.Open(user)).Session.SessionId;
        var ending = await OpenTransaction.Begin(
            fixture.Raw, tx => tx.Execute(SessionRows.SetStatus, Ct, ("status", SessionStatus.Revoked), ("id", oldest)));
        var opening = node.Open(user);
        await PostgresLocks.Wait(fixture.Raw);

        await ending.Commit();
        await opening;

        Assert.Equal("", (await fixture.Row(oldest)).Reason);
        Assert.Equal(0, await fixture.CountAudit(oldest, "session.revoked"));
    }
}
