using Gatehouse.Tenants;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests.Surfaces.Portal;

public sealed class MeTests(UnthrottledServers servers)
{
    [Theory]
    [BothEngines]
    [Requirement("S1-113", "S1-117")]
    public async Task It_tells_user_tenant_session_and_permissions(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var login = await server.SignInSomebody(Role.Creator);

        var me = await client.Get("/api/v1/auth/me", login["accessToken"]);

        Assert.Equal((200, "no-store"), (me.Code, me.Header("Cache-Control")));
        Wants.Members(me.Json, "user: object", "tenant: object", "sessionId: text", "permissions: list");
        foreach (var same in new[] { "user", "tenant", "sessionId" })
        {
            Assert.Equal(login.Json.GetProperty(same).GetRawText(), me.Json.GetProperty(same).GetRawText());
        }

        Assert.Equal(Role.Permissions(Role.Creator), me.Json.GetProperty("permissions").EnumerateArray().Select(p => p.GetString()));
    }

    [Theory]
    [BothEngines]
    public async Task Without_a_tenant_there_are_no_permissions(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();

        var me = await client.Get("/api/v1/auth/me", (await server.SignInSomebody(tenants: 2))["accessToken"]);

        Wants.Members(me.Json, "user: object", "tenant: null", "sessionId: text", "permissions: list");
        Assert.Equal("[]", me.Json.GetProperty("permissions").GetRawText());
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-100")]
    public async Task A_token_counts_in_the_authorization_header_and_nowhere_else(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var login = await server.SignInSomebody();
        var token = login["accessToken"];
        var form = new FormUrlEncodedContent([KeyValuePair.Create("access_token", token)]);

        foreach (var path in new[] { "/api/v1/auth/me", "/v2/auth/me", "/api/v1/auth/sessions", "/api/v1/ui/bootstrap" })
        {
            Wants.Challenge(await client.Get($"{path}?access_token={token}"), "UNAUTHENTICATED", server.Issuer);
            Wants.Challenge(await client.Get($"{path}?token={token}"), "UNAUTHENTICATED", server.Issuer);
            Wants.Challenge(
                await client.Get(path, headers: ("Cookie", $"access_token={token}; accessToken={token}; Authorization=Bearer {token}")),
                "UNAUTHENTICATED",
                server.Issuer);
            Wants.Challenge(await client.Get(path, headers: ("Authorization", token)), "UNAUTHENTICATED", server.Issuer);
            Wants.Challenge(await client.Get(path, headers: ("Authorization", $"Basic {token}")), "UNAUTHENTICATED", server.Issuer);
            Wants.Challenge(await client.Get(path, headers: ("Authorization", "Bearer ")), "UNAUTHENTICATED", server.Issuer);
            Wants.Challenge(await client.Get(path, login["refreshToken"]), "TOKEN_INVALID", server.Issuer);
            Assert.Equal(200, (await client.Get(path, headers: ("Authorization", $"bearer {token}"))).Code);
        }

        Wants.Challenge(await client.Post("/api/v1/auth/logout-all", form), "UNAUTHENTICATED", server.Issuer);
        Wants.Invalid(await client.Post($"/api/v1/auth/refresh?refreshToken={login["refreshToken"]}", new { }), "refreshToken");
    }
}
