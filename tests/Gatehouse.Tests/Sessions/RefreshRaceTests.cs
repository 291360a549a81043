using Gatehouse.Sessions;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Tests.Sessions;

public sealed class RefreshRaceTests
{
    private const int Repetitions = 60;

    [Theory]
    [BothEngines]
    [Requirement("S1-111")]
    [Trait("Checklist", "C3")]
    public async Task Fifty_refreshes_of_one_token_in_two_processes_end_in_one_successor(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        SessionNode[] nodes = [fixture.Node, await fixture.StartAnother()];
        for (var repetition = 0; repetition < 5; repetition++)
        {
            var opened = await fixture.Node.OpenForNewUser();

            var answers = await Together.Run(50, i => nodes[i % 2].Refresh(opened.RefreshToken));

            var successor = Assert.Single(answers.Distinct());
            Assert.NotEqual(opened.RefreshToken, successor);
            Assert.Equal(1, (await fixture.Row(opened.Session.SessionId)).Generation);
            Assert.Equal(1, await fixture.CountLive(opened.Session.UserId));
            await nodes[1].Refresh(successor);
        }
    }

    [Theory]
    [BothEngines]
    [Trait("Checklist", "C2")]
    public async Task Of_twenty_parallel_reusers_one_audits_and_mails(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        SessionNode[] nodes = [fixture.Node, await fixture.StartAnother()];
        for (var repetition = 1; repetition <= 5; repetition++)
        {
            var opened = await fixture.Node.OpenForNewUser();
            await fixture.Node.Refresh(opened.RefreshToken);
            fixture.Time.Advance(TimeSpan.FromSeconds(30));

            var outcomes = await Together.Run(20, i => nodes[i % 2].TryRefresh(opened.RefreshToken));

            Assert.Single(outcomes.OfType<RefreshOutcome.Reused>());
            Assert.Equal(19, outcomes.OfType<RefreshOutcome.Revoked>().Count());
            Assert.Equal(1, await fixture.CountAudit(opened.Session.SessionId, "session.refresh_token_reused"));
            Assert.Equal(1, await fixture.CountAudit(opened.Session.SessionId, "session.revoked"));
            Assert.Equal(repetition, await fixture.Count(SessionRows.CountOutbox));
        }
    }

    [Theory]
    [BothEngines]
    [Trait("Checklist", "C10")]
    public async Task A_refresh_that_is_answered_after_a_revoke_yields_nothing_usable(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var node = fixture.Node;
        var opened = await node.OpenForNewUser();
        var held = node.Database.HoldNextAnswer();
        var refreshing = node.TryRefresh(opened.RefreshToken);
        await held.Decided;

        await node.End(opened.Session.SessionId);
        held.Release();

        var refreshed = Assert.IsType<RefreshOutcome.Refreshed>(await refreshing);
        Assert.Equal(BearerFailure.Revoked, await node.Check(refreshed.Session));
        Assert.IsType<RefreshOutcome.Revoked>(await node.TryRefresh(refreshed.RefreshToken));
    }

    [Theory]
    [BothEngines]
    [Trait("Checklist", "C10")]
    public async Task A_refresh_racing_a_revoke_yields_nothing_usable(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var node = fixture.Node;
        var user = await node.NewUser();
        for (var repetition = 0; repetition < Repetitions; repetition++)
        {
            var opened = await node.Open(user);
            var refreshing = new TaskCompletionSource<RefreshOutcome>();
            Func<Task> refresh = async () => refreshing.SetResult(await node.TryRefresh(opened.RefreshToken));
            Func<Task> revoke = () => node.End(opened.Session.SessionId);

            // Who is queued first alternates, and so both orders happen.
            await Together.Run(repetition % 2 == 0 ? [refresh, revoke] : [revoke, refresh]);

            if (await refreshing.Task is RefreshOutcome.Refreshed refreshed)
            {
                Assert.Equal(BearerFailure.Revoked, await node.Check(refreshed.Session));
                Assert.IsType<RefreshOutcome.Revoked>(await node.TryRefresh(refreshed.RefreshToken));
            }
            else
            {
                Assert.IsType<RefreshOutcome.Revoked>(await refreshing.Task);
            }

            Assert.Equal(BearerFailure.Revoked, await node.Check(opened.Session));
        }
    }
}
