using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests.Surfaces.Portal;

/// <summary>How long a session lasts, and what a literal client gets. Throttles are off; the clock moves in large steps.</summary>
public sealed class RefreshLimitTests(RefreshLimitTests.Servers servers) : IClassFixture<RefreshLimitTests.Servers>
{
    [Theory]
    [BothEngines]
    [Requirement("S1-88", "S1-99", "S1-110")]
    public async Task A_session_ends_when_it_was_not_refreshed_for_14_days(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var (used, idle) = (await server.SignInSomebody(), await server.SignInSomebody());
        server.Time.Jump(TimeSpan.FromDays(14) - TimeSpan.FromSeconds(1));

        var refresh = await client.Refresh(used["refreshToken"]);
        server.Time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(200, refresh.Code);
        Wants.Refusal(await client.Refresh(idle["refreshToken"]), "REFRESH_TOKEN_EXPIRED");
        Assert.Equal(200, (await client.Refresh(refresh["refreshToken"])).Code);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-88", "S1-99", "S1-110")]
    public async Task However_busy_a_session_ends_30_days_after_sign_in_and_no_token_outlives_it(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var login = await server.SignInSomebody();
        var end = server.Time.GetUtcNow() + TimeSpan.FromDays(30);
        var token = login["refreshToken"];
        for (var day = 10; day < 30; day += 10)
        {
            server.Time.Jump(TimeSpan.FromDays(10));
            token = (await client.Refresh(token))["refreshToken"];
        }

        server.Time.Jump(TimeSpan.FromDays(10) - TimeSpan.FromMinutes(20));
        var last = await client.Refresh(token);

        Assert.Equal("1200", last["expiresIn"]);
        Assert.Equal(end.ToUnixTimeSeconds(), Jwt.Claims(last["accessToken"]).GetProperty("exp").GetInt64());
        server.Time.Advance(TimeSpan.FromMinutes(20));
        Wants.Refusal(await client.Refresh(last["refreshToken"]), "REFRESH_TOKEN_EXPIRED");
        Wants.Challenge(await client.Get("/api/v1/auth/me", last["accessToken"]), "TOKEN_EXPIRED", server.Issuer);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-88")]
    public async Task Without_remember_me_a_session_ends_after_12_idle_hours(Engine engine)
    {
        var server = await servers[engine];
        var person = await server.AddPerson();
        using var client = server.Client();
        var body = new { email = person.Email, password = ApiClient.DemoPassword, rememberMe = false };
        var (used, idle) = (await client.Post("/api/v1/auth/login", body), await client.Post("/api/v1/auth/login", body));
        server.Time.Jump(TimeSpan.FromHours(12) - TimeSpan.FromSeconds(1));

        var refresh = await client.Refresh(used["refreshToken"]);
        server.Time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(200, refresh.Code);
        var expired = await client.Refresh(idle["refreshToken"]);
        Wants.Refusal(expired, "REFRESH_TOKEN_EXPIRED");
        Assert.Contains("log in again", expired.Json.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
        server.Time.Jump(TimeSpan.FromHours(12));
        Wants.Refusal(await client.Refresh(refresh["refreshToken"]), "REFRESH_TOKEN_EXPIRED");
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-87", "S1-111")]
    public async Task A_literal_client_keeps_its_refresh_token_and_gets_the_documents_shape(Engine engine)
    {
        await using var server = await GatehouseServer.Start(engine, ("Gatehouse:Sessions:RotateOnPortal", "false"));
        using var client = server.Client();
        var login = await client.Login();
        for (var i = 0; i < 3; i++)
        {
            server.Time.Advance(TimeSpan.FromMinutes(10));

            var refresh = await client.Refresh(login["refreshToken"]);

            Wants.Tokens(refresh);
            Wants.Members(refresh.Json, "success: flag", "accessToken: text", "tokenType: text", "expiresIn: number", "sessionId: text");
            Assert.Equal(200, (await client.Get("/api/v1/auth/me", refresh["accessToken"])).Code);
        }
    }

    // The clock leaps past housekeeping that is still under way, so that a key could retire days before this process heard of it.
    public sealed class Servers() : BothServers(
        ("Gatehouse:RateLimits:Enabled", "false"), ("Gatehouse:Keys:SigningKeyLife", "1000.00:00:00"));
}
