using Gatehouse.Sessions;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Tests.Sessions;

public sealed class RefreshTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Instant = TimeSpan.FromMilliseconds(1);

    [Theory]
    [BothEngines]
    [Requirement("S1-111", "S3-63")]
    [Trait("Checklist", "C1")]
    public async Task Every_refresh_makes_a_new_token_and_the_session_goes_on(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var opened = await fixture.Node.OpenForNewUser();
        var seen = new HashSet<string>(StringComparer.Ordinal) { opened.RefreshToken };

        var token = opened.RefreshToken;
        for (var i = 1; i <= 5; i++)
        {
            token = await fixture.Node.Refresh(token);
            Assert.True(seen.Add(token));
            Assert.Equal(i, (await fixture.Row(opened.Session.SessionId)).Generation);
        }

        Assert.Equal(BearerFailure.None, await fixture.Node.Check(opened.Session));
        Assert.Equal(opened.Session.Version, (await fixture.Row(opened.Session.SessionId)).Version);
    }

    [Theory]
    [BothEngines]
    [Trait("Checklist", "C2")]
    public async Task Within_the_grace_the_old_token_gets_the_same_successor_and_at_its_end_the_session_is_over(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var node = fixture.Node;
        var opened = await node.OpenForNewUser();
        var successor = await node.Refresh(opened.RefreshToken);

        fixture.Time.Advance(Grace - Instant);
        Assert.Equal(successor, await node.Refresh(opened.RefreshToken));

        fixture.Time.Advance(Instant);
        Assert.IsType<RefreshOutcome.Reused>(await node.TryRefresh(opened.RefreshToken));
        Assert.IsType<RefreshOutcome.Revoked>(await node.TryRefresh(opened.RefreshToken));
        Assert.IsType<RefreshOutcome.Revoked>(await node.TryRefresh(successor));
        Assert.Equal(BearerFailure.Revoked, await node.Check(opened.Session));
        Assert.Equal("refresh_token_reused", (await fixture.Row(opened.Session.SessionId)).Reason);
    }

    [Theory]
    [BothEngines]
    [Trait("Checklist", "C4")]
    public async Task A_token_two_generations_old_ends_the_session_even_inside_the_grace(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var node = fixture.Node;
        var opened = await node.OpenForNewUser();
        var newest = await node.Refresh(await node.Refresh(opened.RefreshToken));

        Assert.IsType<RefreshOutcome.Reused>(await node.TryRefresh(opened.RefreshToken));

        Assert.IsType<RefreshOutcome.Revoked>(await node.TryRefresh(newest));
        Assert.Equal(BearerFailure.Revoked, await node.Check(opened.Session));
    }

    [Theory]
    [BothEngines]
    public async Task A_repeat_with_its_own_key_gets_the_lost_answer_for_a_day_and_not_after(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var node = fixture.Node;
        var opened = await node.OpenForNewUser();
        var successor = await node.Refresh(opened.RefreshToken, "key-1");

        fixture.Time.Advance(TimeSpan.FromHours(24) - Instant);
        Assert.Equal(successor, await node.Refresh(opened.RefreshToken, "key-1"));
        Assert.Equal(1, (await fixture.Row(opened.Session.SessionId)).Generation);

        fixture.Time.Advance(Instant);
        Assert.IsType<RefreshOutcome.Reused>(await node.TryRefresh(opened.RefreshToken, "key-1"));
        Assert.IsType<RefreshOutcome.Revoked>(await node.TryRefresh(successor));
    }

    [Theory]
    [BothEngines]
    public async Task Outside_the_grace_another_key_no_key_or_the_key_of_an_older_step_is_reuse(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        await Reuse("key-1", "key-2");
        await Reuse("key-1", "KEY-1");
        await Reuse("key-1", "");
        await Reuse("", "key-1");
        await Reuse("", "");

        // The key of the step before is worth nothing for this one.
        var opened = await fixture.Node.OpenForNewUser();
        var second = await fixture.Node.Refresh(opened.RefreshToken, "key-1");
        await fixture.Node.Refresh(second, "key-2");
        Assert.IsType<RefreshOutcome.Reused>(await fixture.Node.TryRefresh(opened.RefreshToken, "key-1"));

        async Task Reuse(string first, string repeated)
        {
            var session = await fixture.Node.OpenForNewUser();
            await fixture.Node.Refresh(session.RefreshToken, first);
            fixture.Time.Advance(Grace);
            Assert.IsType<RefreshOutcome.Reused>(await fixture.Node.TryRefresh(session.RefreshToken, repeated));
        }
    }

    [Theory]
    [BothEngines]
    [Trait("Checklist", "C12")]
    public async Task Junk_asks_the_database_nothing_and_changes_nothing(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        await using var elsewhere = await SessionFixture.Create(engine);
        var node = fixture.Node;
        var opened = await node.OpenForNewUser();
        var foreign = (await elsewhere.Node.OpenForNewUser()).RefreshToken;
        var before = await fixture.Row(opened.Session.SessionId);
        var calls = node.Database.Calls;

        foreach (var junk in (string[])["", "rt_", opened.RefreshToken[3..], opened.RefreshToken + "A", foreign, .. Mutations(opened.RefreshToken)])
        {
            Assert.IsType<RefreshOutcome.Invalid>(await node.TryRefresh(junk));
        }

        Assert.Equal(calls, node.Database.Calls);
        Assert.Equal(before, await fixture.Row(opened.Session.SessionId));
        await node.Refresh(opened.RefreshToken);
    }

    [Theory]
    [BothEngines]
    [Trait("Checklist", "C5")]
    [Trait("Checklist", "C7")]
    public async Task A_token_in_the_hands_of_another_client_or_key_is_refused_and_the_session_untouched(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var node = fixture.Node;
        var opened = await node.OpenForNewUser();
        var successor = await node.Refresh(opened.RefreshToken, "key");
        fixture.Time.Advance(Grace);
        var before = await fixture.Row(opened.Session.SessionId);

        foreach (var token in (string[])[opened.RefreshToken, successor])
        {
            Assert.IsType<RefreshOutcome.Invalid>(await node.TryRefresh(token, "key", client: "client-a"));
            Assert.IsType<RefreshOutcome.Invalid>(await node.TryRefresh(token, "key", jkt: "thumbprint"));
            Assert.IsType<RefreshOutcome.Invalid>(await node.TryRefresh(token, "key", client: "client-a", rotate: false));
        }

        Assert.Equal(before, await fixture.Row(opened.Session.SessionId));
        await node.Refresh(successor);
    }

    [Theory]
    [BothEngines]
    public async Task After_a_sign_out_there_is_no_grace(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var node = fixture.Node;
        var opened = await node.OpenForNewUser();
        var successor = await node.Refresh(opened.RefreshToken, "key");

        Assert.Equal(
            SignOutOutcome.SignedOut,
            await node.SignOut.Leave(bearer: null, successor, SessionNode.Origin, TestContext.Current.CancellationToken));

        Assert.IsType<RefreshOutcome.Revoked>(await node.TryRefresh(opened.RefreshToken, "key"));
        Assert.IsType<RefreshOutcome.Revoked>(await node.TryRefresh(successor));
        Assert.Equal(0, await fixture.Count(SessionRows.CountOutbox));
    }

    [Theory]
    [BothEngines]
    public async Task A_literal_client_keeps_its_token(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var node = fixture.Node;
        var opened = await node.OpenForNewUser();
        for (var i = 0; i < 10; i++)
        {
            fixture.Time.Advance(TimeSpan.FromDays(2));
            var again = Assert.IsType<RefreshOutcome.Refreshed>(await node.TryRefresh(opened.RefreshToken, rotate: false));
            Assert.Equal(opened.RefreshToken, again.RefreshToken);
        }

        Assert.Equal(0, (await fixture.Row(opened.Session.SessionId)).Generation);
    }

    // Every character exchanged for one that differs in its lowest and one in its highest bit.
    private static IEnumerable<string> Mutations(string token)
    {
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        for (var i = 3; i < token.Length; i++)
        {
            var value = alphabet.IndexOf(token[i], StringComparison.Ordinal);
            yield return $"{token[..i]}{alphabet[value ^ 1]}{token[(i + 1)..]}";
            yield return $"{token[..i]}{alphabet[value ^ 32]}{token[(i + 1)..]}";
        }
    }
}
