using System.Globalization;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests.Surfaces.Portal;

/// <summary>Servers whose sign-ins are not counted and whose refreshes are.</summary>
public sealed class RefreshServers() : BothServers(("Gatehouse:RateLimits:Login:Limit", "10000"));

/// <summary>Each test has a session of its own and may move the clock.</summary>
public sealed class RefreshTests(RefreshServers servers) : IClassFixture<RefreshServers>
{
    [Theory]
    [BothEngines]
    [Requirement("S1-12", "S1-81", "S1-86", "S1-87", "S1-111", "S1-117")]
    public async Task A_refresh_answers_new_tokens_of_the_same_session(Engine engine)
    {
        var (server, client, login) = await SignIn(engine);
        using var _ = client;
        server.Time.Advance(TimeSpan.FromMinutes(50));

        var refresh = await client.Refresh(login["refreshToken"]);

        Wants.Tokens(refresh);
        Wants.Members(
            refresh.Json,
            "success: flag", "accessToken: text", "refreshToken: text", "tokenType: text", "expiresIn: number", "sessionId: text");
        Assert.True(refresh.Json.GetProperty("success").GetBoolean());
        Assert.Equal(("Bearer", "3600", login["sessionId"]), (refresh["tokenType"], refresh["expiresIn"], refresh["sessionId"]));
        Assert.NotEqual(login["refreshToken"], refresh["refreshToken"]);
        Assert.Matches("^rt_[A-Za-z0-9_-]{76}$", refresh["refreshToken"]);
        var claims = Jwt.Claims(refresh["accessToken"]);
        Assert.Equal(login["sessionId"], claims.GetProperty("sid").GetString());
        Assert.Equal(server.Time.GetUtcNow().ToUnixTimeSeconds() + 3600, claims.GetProperty("exp").GetInt64());
        server.Time.Advance(TimeSpan.FromMinutes(10));
        Wants.Challenge(await client.Get("/api/v1/auth/me", login["accessToken"]), "TOKEN_EXPIRED", server.Issuer);
        Assert.Equal(200, (await client.Get("/api/v1/auth/me", refresh["accessToken"])).Code);
        Assert.Equal(200, (await client.Refresh(refresh["refreshToken"])).Code);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-111")]
    public async Task An_access_token_lives_on_beside_its_refreshed_one(Engine engine)
    {
        var (_, client, login) = await SignIn(engine);
        using var _1 = client;

        await client.Refresh(login["refreshToken"]);

        Assert.Equal(200, (await client.Get("/api/v1/auth/me", login["accessToken"])).Code);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-111")]
    public async Task Within_the_grace_the_old_token_gets_the_same_successor(Engine engine)
    {
        var (server, client, login) = await SignIn(engine);
        using var _ = client;
        var first = await client.Refresh(login["refreshToken"]);
        server.Time.Advance(TimeSpan.FromSeconds(29));

        var again = await client.Refresh(login["refreshToken"]);

        Wants.Tokens(again);
        Assert.Equal(first["refreshToken"], again["refreshToken"]);
        Assert.Equal(200, (await client.Refresh(first["refreshToken"])).Code);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-111")]
    public async Task Fifty_refreshes_of_one_token_at_once_get_one_successor_and_cost_one_permit(Engine engine)
    {
        var (_, client, login) = await SignIn(engine);
        using var _1 = client;

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => client.Refresh(login["refreshToken"])));

        Assert.All(answers, a => Assert.Equal((200, "9"), (a.Code, a.Header("X-RateLimit-Remaining"))));
        var successor = Assert.Single(answers.Select(a => a["refreshToken"]).Distinct());
        Assert.Equal(200, (await client.Refresh(successor)).Code);
        Assert.Single((await client.Get("/api/v1/auth/sessions", login["accessToken"])).Json.GetProperty("sessions").EnumerateArray());
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-111")]
    public async Task A_lost_answer_is_had_again_for_a_day_with_the_same_key(Engine engine)
    {
        var (server, client, login) = await SignIn(engine);
        using var _ = client;
        var key = ("Idempotency-Key", Guid.NewGuid().ToString());
        var alias = ("X-Idempotency-Key", key.Item2);
        var first = await client.Refresh(login["refreshToken"], key);
        server.Time.Jump(TimeSpan.FromHours(24) - TimeSpan.FromSeconds(1));

        var again = await client.Refresh(login["refreshToken"], key);
        var underAlias = await client.Refresh(login["refreshToken"], alias);

        Assert.Equal((200, 200), (again.Code, underAlias.Code));
        Assert.Equal(first["refreshToken"], again["refreshToken"]);
        Assert.Equal(first["refreshToken"], underAlias["refreshToken"]);
        Assert.Equal(200, (await client.Get("/api/v1/auth/me", again["accessToken"])).Code);
        server.Time.Advance(TimeSpan.FromSeconds(1));
        Wants.Refusal(await client.Refresh(login["refreshToken"], key), "REFRESH_TOKEN_REUSED");
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-111")]
    public async Task Another_key_does_not_lengthen_the_grace(Engine engine)
    {
        var (server, client, login) = await SignIn(engine);
        using var _ = client;
        await client.Refresh(login["refreshToken"], ("Idempotency-Key", "mine"));
        server.Time.Advance(TimeSpan.FromSeconds(30));

        Wants.Refusal(await client.Refresh(login["refreshToken"], ("Idempotency-Key", "theirs")), "REFRESH_TOKEN_REUSED");
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-28", "S1-30", "S1-31", "S1-104", "S1-115", "S1-116")]
    public async Task The_eleventh_refresh_of_a_session_in_an_hour_waits_and_the_session_lives(Engine engine)
    {
        var (server, client, login) = await SignIn(engine);
        using var _ = client;
        var token = login["refreshToken"];
        for (var remaining = 9; remaining >= 0; remaining--)
        {
            var refresh = await client.Refresh(token);
            Assert.Equal((200, "10"), (refresh.Code, refresh.Header("X-RateLimit-Limit")));
            Assert.Equal(remaining.ToString(CultureInfo.InvariantCulture), refresh.Header("X-RateLimit-Remaining"));
            token = refresh["refreshToken"];
        }

        var refused = await client.Refresh(token);

        Wants.Error(refused, 429, "RATE_LIMIT_EXCEEDED", "retryAfter: number");
        Assert.Equal(360, refused.Json.GetProperty("error").GetProperty("retryAfter").GetInt32());
        Assert.Equal("360", refused.Header("Retry-After"));
        Assert.Equal(("10", "0"), (refused.Header("X-RateLimit-Limit"), refused.Header("X-RateLimit-Remaining")));
        Assert.Equal(
            (server.Time.GetUtcNow().ToUnixTimeSeconds() + 360).ToString(CultureInfo.InvariantCulture), refused.Header("X-RateLimit-Reset"));
        Assert.Equal(200, (await client.Get("/api/v1/auth/me", login["accessToken"])).Code);
        server.Time.Advance(TimeSpan.FromSeconds(359));
        Assert.Equal("1", (await client.Refresh(token)).Header("Retry-After"));
        server.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(200, (await client.Refresh(token)).Code);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-88")]
    public async Task Junk_and_tampered_tokens_are_invalid_and_change_nothing(Engine engine)
    {
        var (_, client, login) = await SignIn(engine);
        using var _1 = client;
        var token = login["refreshToken"];
        var flipped = token[..40] + (token[40] == 'A' ? 'B' : 'A') + token[41..];

        foreach (var junk in new[]
        {
            "x", "rt_", flipped, token[..^1], token + "A", token.ToUpperInvariant(), login["accessToken"], $" {token}",
        })
        {
            Wants.Refusal(await client.Refresh(junk), "REFRESH_TOKEN_INVALID");
        }

        Wants.Invalid(await client.Post("/api/v1/auth/refresh", new { }), "refreshToken");
        Wants.Invalid(await client.Post("/api/v1/auth/refresh", new { refreshToken = 7 }), "refreshToken");
        Assert.Equal(200, (await client.Refresh(token)).Code);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-88")]
    public async Task A_token_of_another_deployment_is_invalid(Engine engine)
    {
        var (_, client, _) = await SignIn(engine);
        using var _1 = client;
        await using var elsewhere = await GatehouseServer.Start(Engine.Sqlite);

        var foreign = await elsewhere.SignInSomebody();

        Wants.Refusal(await client.Refresh(foreign["refreshToken"]), "REFRESH_TOKEN_INVALID");
    }

    private async Task<(GatehouseServer Server, ApiClient Client, Answer Login)> SignIn(Engine engine)
    {
        var server = await servers[engine];
        return (server, server.Client(), await server.SignInSomebody());
    }
}
