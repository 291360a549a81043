using Gatehouse.Sessions;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Tests.Sessions;

public sealed class RefreshLimitTests
{
    private static readonly TimeSpan Instant = TimeSpan.FromMilliseconds(1);

    [Theory]
    [BothEngines]
    [Requirement("S1-104")]
    public async Task Ten_refreshes_an_hour_and_repeats_inside_the_grace_are_free(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var node = fixture.Node;
        var opened = await node.OpenForNewUser();
        var (previous, token) = ("", opened.RefreshToken);
        for (var used = 1; used <= 10; used++)
        {
            var refreshed = Assert.IsType<RefreshOutcome.Refreshed>(await node.TryRefresh(token));
            Assert.Equal((10, 10 - used), (refreshed.Permit.Limit, refreshed.Permit.Remaining));
            (previous, token) = (token, refreshed.RefreshToken);
            Assert.Equal(token, await node.Refresh(previous));
        }

        var before = await fixture.Row(opened.Session.SessionId);
        var throttled = Assert.IsType<RefreshOutcome.Throttled>(await node.TryRefresh(token));
        Assert.Equal(360, throttled.Permit.RetryAfter(fixture.Time.Now()));
        Assert.Equal(0, throttled.Permit.Remaining);
        Assert.Equal(token, await node.Refresh(previous));
        Assert.Equal(before, await fixture.Row(opened.Session.SessionId));

        fixture.Time.Advance(TimeSpan.FromSeconds(360) - Instant);
        Assert.IsType<RefreshOutcome.Throttled>(await node.TryRefresh(token));
        fixture.Time.Advance(Instant);
        token = await node.Refresh(token);
        Assert.IsType<RefreshOutcome.Throttled>(await node.TryRefresh(token));
        Assert.Equal(BearerFailure.None, await node.Check(opened.Session));
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-104")]
    public async Task Parallel_refreshes_do_not_pass_the_limit_and_a_literal_client_has_the_same(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var opened = await fixture.Node.OpenForNewUser();

        var outcomes = await Together.Run(30, _ => fixture.Node.TryRefresh(opened.RefreshToken, rotate: false));

        Assert.Equal(10, outcomes.OfType<RefreshOutcome.Refreshed>().Count());
        Assert.Equal(20, outcomes.OfType<RefreshOutcome.Throttled>().Count());
    }

    [Theory]
    [BothEngines]
    public async Task Without_throttles_nobody_is_throttled(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        fixture.Throttles.Enabled = false;
        var token = (await fixture.Node.OpenForNewUser()).RefreshToken;
        for (var i = 0; i < 15; i++)
        {
            token = await fixture.Node.Refresh(token);
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-110")]
    [Trait("Checklist", "C8")]
    public async Task A_session_ends_at_its_idle_limit_which_each_refresh_moves(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var node = fixture.Node;
        await Until(await node.Open(await node.NewUser(), rememberMe: true), TimeSpan.FromDays(14));
        await Until(await node.Open(await node.NewUser(), rememberMe: false), TimeSpan.FromHours(12));

        async Task Until(OpenedSession opened, TimeSpan idle)
        {
            fixture.Time.Advance(idle - Instant);
            var token = await node.Refresh(opened.RefreshToken);
            fixture.Time.Advance(idle - Instant);
            token = await node.Refresh(token);
            fixture.Time.Advance(idle);
            Assert.IsType<RefreshOutcome.Expired>(await node.TryRefresh(token));
            Assert.Equal(SessionStatus.Active, (await fixture.Row(opened.Session.SessionId)).Status);
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-110")]
    [Trait("Checklist", "C8")]
    public async Task A_session_ends_at_its_absolute_limit_however_busy_it_is(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var node = fixture.Node;
        var opened = await node.OpenForNewUser();
        var token = opened.RefreshToken;
        for (var day = 1; day < 30; day++)
        {
            fixture.Time.Advance(TimeSpan.FromDays(1));
            token = await node.Refresh(token);
        }

        fixture.Time.Advance(TimeSpan.FromDays(1) - TimeSpan.FromMinutes(10));
        var last = Assert.IsType<RefreshOutcome.Refreshed>(await node.TryRefresh(token));
        var access = node.Issue(last.Session);
        Assert.Equal(BearerFailure.None, await node.CheckToken(access));

        fixture.Time.Advance(TimeSpan.FromMinutes(10));
        Assert.IsType<RefreshOutcome.Expired>(await node.TryRefresh(last.RefreshToken));
        Assert.Equal(BearerFailure.Expired, await node.CheckToken(access));
    }

    [Theory]
    [BothEngines]
    public async Task A_token_ahead_of_a_restored_backup_goes_on_and_is_audited_once(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var node = fixture.Node;
        var opened = await node.OpenForNewUser();
        var id = opened.Session.SessionId;
        var token = opened.RefreshToken;
        for (var i = 0; i < 5; i++)
        {
            token = await node.Refresh(token);
        }

        await fixture.Raw.Execute(
            SessionRows.SetGeneration, TestContext.Current.CancellationToken, ("generation", 2), ("id", id));
        var answers = await Together.Run(20, _ => node.Refresh(token));

        var successor = Assert.Single(answers.Distinct());
        Assert.Equal(6, (await fixture.Row(id)).Generation);
        Assert.Equal(1, await fixture.CountAudit(id, "session.generation_ahead"));
        Assert.Equal(0, await fixture.CountAudit(id, "session.refresh_token_reused"));
        await node.Refresh(successor);
    }
}
