using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests.Surfaces.Portal;

/// <summary>The session routes of <c>/v2/auth</c>: the shapes of the Portal, and the same sessions.</summary>
public sealed class V2Tests(UnthrottledServers servers)
{
    [Theory]
    [BothEngines]
    [Requirement("S0-25", "S0-26", "S0-40", "S0-41")]
    public async Task Login_answers_a_JWT_for_an_hour_that_opens_me(Engine engine)
    {
        var server = await servers[engine];
        var person = await server.AddPerson();
        using var client = server.Client();

        var login = await client.Post("/v2/auth/login", new { email = person.Email, password = ApiClient.DemoPassword });
        var me = await client.Get("/v2/auth/me", login["accessToken"]);

        Wants.Tokens(login);
        Wants.Members(
            login.Json,
            "success: flag", "accessToken: text", "refreshToken: text", "tokenType: text", "expiresIn: number", "user: object",
            "tenant: object", "sessionId: text");
        var claims = Jwt.Claims(login["accessToken"]);
        Assert.Equal(server.Time.GetUtcNow().ToUnixTimeSeconds() + 3600, claims.GetProperty("exp").GetInt64());
        Assert.Equal("3600", login["expiresIn"]);
        Assert.Equal(200, me.Code);
        Wants.Members(me.Json, "user: object", "tenant: object", "sessionId: text", "permissions: list");
        Assert.Equal((await client.Get("/api/v1/auth/me", login["accessToken"])).Text, me.Text);
    }

    [Theory]
    [BothEngines]
    [Requirement("S0-25", "S0-26")]
    public async Task Wrong_credentials_and_a_missing_token_are_told_as_on_the_portal(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();

        Wants.Refusal(await client.Post("/v2/auth/login", new { email = ApiClient.John, password = "wrong" }), "INVALID_CREDENTIALS");
        Wants.Invalid(await client.Post("/v2/auth/login", new { email = ApiClient.John }), "password");
        Wants.Challenge(await client.Get("/v2/auth/me"), "UNAUTHENTICATED", server.Issuer);
    }

    [Theory]
    [BothEngines]
    [Requirement("S0-30", "S0-42", "S0-43")]
    public async Task Refresh_moves_the_expiry_and_takes_the_portals_tokens_and_the_reverse(Engine engine)
    {
        await using var server = await GatehouseServer.Start(engine);
        using var client = server.Client();
        var login = await client.Login();
        server.Time.Advance(TimeSpan.FromMinutes(20));

        var refresh = await client.Post("/v2/auth/refresh", new { refreshToken = login["refreshToken"] });

        Wants.Tokens(refresh);
        Wants.Members(
            refresh.Json,
            "success: flag", "accessToken: text", "refreshToken: text", "tokenType: text", "expiresIn: number", "sessionId: text");
        Assert.NotEqual(login["refreshToken"], refresh["refreshToken"]);
        Assert.Equal(20 * 60, Expiry(refresh) - Expiry(login));
        Assert.Equal(200, (await client.Refresh(refresh["refreshToken"])).Code);
        Wants.Refusal(await client.Post("/v2/auth/refresh", new { refreshToken = "rt_junk" }), "REFRESH_TOKEN_INVALID");
    }

    [Theory]
    [BothEngines]
    [Requirement("S0-27")]
    public async Task Logout_ends_the_session_on_every_surface(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var login = await server.SignInSomebody();

        var logout = await client.Post("/v2/auth/logout", new { refreshToken = login["refreshToken"] }, login["accessToken"]);

        Assert.Equal(200, logout.Code);
        Wants.Members(logout.Json, "success: flag", "message: text");
        Wants.Challenge(await client.Get("/v2/auth/me", login["accessToken"]), "SESSION_REVOKED", server.Issuer);
        Wants.Challenge(await client.Get("/api/v1/auth/me", login["accessToken"]), "SESSION_REVOKED", server.Issuer);
        Wants.Refusal(await client.Post("/v2/auth/refresh", new { refreshToken = login["refreshToken"] }), "SESSION_REVOKED");
    }

    private static long Expiry(Answer answer) => Jwt.Claims(answer["accessToken"]).GetProperty("exp").GetInt64();
}
