using System.Net;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests.Surfaces.Portal;

public sealed class LogoutTests(UnthrottledServers servers)
{
    private const string Logout = "/api/v1/auth/logout";

    [Theory]
    [BothEngines]
    [Requirement("S1-92", "S1-93", "S1-94")]
    public async Task Signing_out_ends_the_session_and_every_token_of_it(Engine engine)
    {
        var (server, client, login) = await SignIn(engine);
        using var _ = client;
        var next = await client.Refresh(login["refreshToken"]);

        var logout = await client.Post(Logout, new { refreshToken = next["refreshToken"] }, login["accessToken"]);

        Assert.Equal(200, logout.Code);
        Wants.Members(logout.Json, "success: flag", "message: text");
        Assert.True(logout.Json.GetProperty("success").GetBoolean());
        Assert.Equal("Successfully logged out", logout["message"]);
        foreach (var token in new[] { login["accessToken"], next["accessToken"] })
        {
            Wants.Challenge(await client.Get("/api/v1/auth/me", token), "SESSION_REVOKED", server.Issuer);
        }

        // The first one is within the grace; signing out ends that too.
        Wants.Refusal(await client.Refresh(login["refreshToken"]), "SESSION_REVOKED");
        Wants.Refusal(await client.Refresh(next["refreshToken"]), "SESSION_REVOKED");
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-93")]
    public async Task Either_credential_is_enough_and_a_repeat_is_fine(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var (byBearer, byEmptyObject, byRefresh) =
            (await server.SignInSomebody(), await server.SignInSomebody(), await server.SignInSomebody());
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(200, (await client.Post(Logout, bearer: byBearer["accessToken"])).Code);
            Assert.Equal(200, (await client.Post(Logout, new { }, byEmptyObject["accessToken"])).Code);
            Assert.Equal(200, (await client.Post(Logout, new { refreshToken = byRefresh["refreshToken"] })).Code);
        }

        foreach (var login in new[] { byBearer, byEmptyObject, byRefresh })
        {
            Wants.Challenge(await client.Get("/api/v1/auth/me", login["accessToken"]), "SESSION_REVOKED", server.Issuer);
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-93")]
    public async Task Tokens_of_two_sessions_are_refused_and_both_live_on(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var (one, other) = (await server.SignInSomebody(), await server.SignInSomebody());

        Wants.Invalid(await client.Post(Logout, new { refreshToken = other["refreshToken"] }, one["accessToken"]), "refreshToken");
        Wants.Invalid(await client.Post(Logout, new { refreshToken = "rt_junk" }, one["accessToken"]), "refreshToken");

        foreach (var login in new[] { one, other })
        {
            Assert.Equal(200, (await client.Get("/api/v1/auth/me", login["accessToken"])).Code);
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-93")]
    public async Task Without_a_credential_of_ours_nobody_is_signed_out(Engine engine)
    {
        var (server, client, login) = await SignIn(engine);
        using var _ = client;

        Wants.Challenge(await client.Post(Logout), "UNAUTHENTICATED", server.Issuer);
        Wants.Challenge(await client.Post(Logout, new { }), "UNAUTHENTICATED", server.Issuer);
        Wants.Challenge(await client.Post(Logout, bearer: "junk"), "TOKEN_INVALID", server.Issuer);
        Wants.Challenge(await client.Post(Logout, bearer: login["accessToken"][..^2]), "TOKEN_INVALID", server.Issuer);
        Wants.Refusal(await client.Post(Logout, new { refreshToken = "rt_junk" }), "REFRESH_TOKEN_INVALID");
        Wants.Invalid(await client.Post(Logout, new { refreshToken = 1 }, login["accessToken"]), "refreshToken");

        Assert.Equal(200, (await client.Get("/api/v1/auth/me", login["accessToken"])).Code);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-93")]
    public async Task A_bearer_token_that_proves_nothing_does_not_keep_the_refresh_token_from_signing_out(Engine engine)
    {
        var (_, client, login) = await SignIn(engine);
        using var __ = client;

        var answer = await client.Post(Logout, new { refreshToken = login["refreshToken"] }, "a.token.of-a-retired-key");

        Assert.Equal(200, answer.Code);
        Wants.Refusal(await client.Refresh(login["refreshToken"]), "SESSION_REVOKED");
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-93")]
    public async Task An_expired_access_token_still_signs_out(Engine engine)
    {
        await using var server = await GatehouseServer.Start(engine);
        using var client = server.Client();
        var login = await client.Login();
        server.Time.Jump(TimeSpan.FromHours(2));
        Wants.Challenge(await client.Get("/api/v1/auth/me", login["accessToken"]), "TOKEN_EXPIRED", server.Issuer);

        Assert.Equal(200, (await client.Post(Logout, bearer: login["accessToken"])).Code);

        Wants.Refusal(await client.Refresh(login["refreshToken"]), "SESSION_REVOKED");
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-92")]
    public async Task Signing_out_everywhere_counts_what_ended_and_may_spare_this_session(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var person = await server.AddPerson();
        var bystander = await server.SignInSomebody();
        var logins = new List<Answer>();
        for (var i = 0; i < 4; i++)
        {
            logins.Add(await client.Login(person.Email));
        }

        var others = await client.Post("/api/v1/auth/logout-all", new { exceptCurrent = true }, logins[2]["accessToken"]);

        Assert.Equal(200, others.Code);
        Wants.Members(others.Json, "success: flag", "revokedSessions: number");
        Assert.Equal("3", others["revokedSessions"]);
        Assert.Equal(200, (await client.Get("/api/v1/auth/me", logins[2]["accessToken"])).Code);
        Assert.Equal(200, (await client.Refresh(logins[2]["refreshToken"])).Code);
        foreach (var ended in logins.Where(l => l != logins[2]))
        {
            Wants.Challenge(await client.Get("/api/v1/auth/me", ended["accessToken"]), "SESSION_REVOKED", server.Issuer);
        }

        Assert.Equal("1", (await client.Post("/api/v1/auth/logout-all", bearer: logins[2]["accessToken"]))["revokedSessions"]);
        Wants.Challenge(await client.Get("/api/v1/auth/me", logins[2]["accessToken"]), "SESSION_REVOKED", server.Issuer);
        Assert.Equal(200, (await client.Get("/api/v1/auth/me", bystander["accessToken"])).Code);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-92")]
    public async Task Signing_out_everywhere_needs_a_live_session_and_a_readable_wish(Engine engine)
    {
        var (server, client, login) = await SignIn(engine);
        using var _ = client;

        Wants.Challenge(await client.Post("/api/v1/auth/logout-all"), "UNAUTHENTICATED", server.Issuer);
        Wants.Invalid(await client.Post("/api/v1/auth/logout-all", new { exceptCurrent = "yes" }, login["accessToken"]), "exceptCurrent");

        Assert.Equal(HttpStatusCode.OK, (await client.Get("/api/v1/auth/me", login["accessToken"])).Status);
    }

    private async Task<(GatehouseServer Server, ApiClient Client, Answer Login)> SignIn(Engine engine)
    {
        var server = await servers[engine];
        return (server, server.Client(), await server.SignInSomebody());
    }
}
