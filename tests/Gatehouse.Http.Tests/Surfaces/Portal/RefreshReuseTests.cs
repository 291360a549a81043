using System.Diagnostics;
using System.Text.Json;
using Gatehouse.Storage;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests.Surfaces.Portal;

/// <summary>An old copy of a refresh token ends the session it belongs to, visibly, and no other.</summary>
public sealed class RefreshReuseTests(RefreshServers servers) : IClassFixture<RefreshServers>
{
    private static readonly Sql AuditOf = new(
        "SELECT audit_action, audit_request_id, audit_details FROM audit_events WHERE audit_session_id = @session ORDER BY audit_id");

    [Theory]
    [BothEngines]
    [Requirement("S1-88", "S1-111")]
    public async Task After_the_grace_an_old_token_ends_the_session_and_all_its_tokens(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var login = await server.SignInSomebody();
        var next = await client.Refresh(login["refreshToken"]);
        server.Time.Advance(TimeSpan.FromSeconds(30));

        Wants.Refusal(await client.Refresh(login["refreshToken"]), "REFRESH_TOKEN_REUSED");

        Wants.Refusal(await client.Refresh(next["refreshToken"]), "SESSION_REVOKED");
        Wants.Refusal(await client.Refresh(login["refreshToken"]), "SESSION_REVOKED");
        foreach (var token in new[] { login["accessToken"], next["accessToken"] })
        {
            Wants.Challenge(await client.Get("/api/v1/auth/me", token), "SESSION_REVOKED", server.Issuer);
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-111")]
    public async Task A_token_two_generations_old_ends_the_session_even_within_the_grace(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var login = await server.SignInSomebody();
        var key = ("Idempotency-Key", "the same throughout");
        var second = await client.Refresh(login["refreshToken"], key);
        var third = await client.Refresh(second["refreshToken"], key);

        Wants.Refusal(await client.Refresh(login["refreshToken"], key), "REFRESH_TOKEN_REUSED");

        Wants.Refusal(await client.Refresh(third["refreshToken"]), "SESSION_REVOKED");
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-111")]
    public async Task A_reuse_is_audited_once_and_told_by_mail_once_however_many_try(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var person = await server.AddPerson();
        var login = await client.Login(person.Email);
        await client.Refresh(login["refreshToken"]);
        server.Time.Advance(TimeSpan.FromMinutes(1));

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(
            i => client.Refresh(login["refreshToken"], ("X-Request-ID", $"reuse-{i}"), ("User-Agent", "Thief/1.0"))));

        var reused = Assert.Single(answers, a => a.ErrorCode == "REFRESH_TOKEN_REUSED");
        Assert.All(answers, a => Assert.Equal(401, a.Code));
        var audit = await server.Database.Open().Query(
            AuditOf,
            row => (Action: row.Text(0), Request: row.Text(1), Details: row.Text(2)),
            TestContext.Current.CancellationToken,
            ("session", Guid.Parse(login["sessionId"])));
        Assert.Equal(reused.Header("X-Request-ID"), Assert.Single(audit, a => a.Action == "session.refresh_token_reused").Request);
        Assert.Equal("refresh_token_reused", Assert.Single(audit, a => a.Action == "session.revoked").Details);
        var mail = Assert.Single((await Inbox(client, person.Email)).EnumerateArray());
        Assert.Equal("We ended one of your sessions", mail.GetProperty("subject").GetString());
        var body = mail.GetProperty("body").GetString();
        Assert.Contains("Thief/1.0", body, StringComparison.Ordinal);
        Assert.DoesNotContain("rt_", body, StringComparison.Ordinal);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-111")]
    public async Task A_reuse_leaves_the_users_other_sessions_alone(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var person = await server.AddPerson();
        var (stolen, sibling) = (await client.Login(person.Email), await client.Login(person.Email));
        await client.Refresh(stolen["refreshToken"]);
        server.Time.Advance(TimeSpan.FromMinutes(1));

        Wants.Refusal(await client.Refresh(stolen["refreshToken"]), "REFRESH_TOKEN_REUSED");

        Assert.Equal(200, (await client.Get("/api/v1/auth/me", sibling["accessToken"])).Code);
        Assert.Equal(200, (await client.Refresh(sibling["refreshToken"])).Code);
    }

    // The worker sends after the answer; each look at the inbox is a request, so the wait needs no clock.
    private static async Task<JsonElement> Inbox(ApiClient client, string to)
    {
        var waiting = Stopwatch.StartNew();
        while (waiting.Elapsed < TimeSpan.FromSeconds(20))
        {
            var inbox = (await client.Get($"/dev/inbox?to={Uri.EscapeDataString(to)}")).Json;
            if (inbox.GetArrayLength() > 0)
            {
                return inbox;
            }
        }

        Assert.Fail("No mail came.");
        return default;
    }
}
