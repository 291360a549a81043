using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests;

public sealed class HeaderTests(UnthrottledServers servers)
{
    [Theory]
    [BothEngines]
    public async Task Every_answer_forbids_sniffing_framing_scripts_and_referrers_and_hides_the_server(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var login = await server.SignInSomebody();
        Answer[] answers =
        [
            login,
            await client.Refresh(login["refreshToken"]),
            await client.Get("/api/v1/auth/me", login["accessToken"]),
            await client.Get("/api/v1/ui/bootstrap", login["accessToken"]),
            await client.Get("/api/v1/ui/bootstrap", login["accessToken"], ("If-None-Match", "*")),
            await client.Get("/oauth/jwks"),
            await client.Get("/health/live"),
            await client.Get("/nothing"),
            await client.Get("/api/v1/auth/login"),
            await client.Get("/api/v1/auth/me"),
            await client.Post("/api/v1/auth/login", "{"),
        ];

        foreach (var answer in answers)
        {
            Assert.Equal("nosniff", answer.Header("X-Content-Type-Options"));
            Assert.Equal(
                "default-src 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'", answer.Header("Content-Security-Policy"));
            Assert.Equal("no-referrer", answer.Header("Referrer-Policy"));
            Assert.Equal("same-origin", answer.Header("Cross-Origin-Opener-Policy"));
            Assert.Null(answer.Header("Server"));
            Assert.Null(answer.Header("X-Powered-By"));
            Assert.Null(answer.Header("Set-Cookie"));
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-5", "S1-8")]
    public async Task The_documents_request_headers_are_welcome_and_none_is_required(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var person = await server.AddPerson();
        (string, string)[] headers =
        [
            ("Accept", "application/json"), ("X-Client-Version", "1.2.3"), ("X-Request-ID", "req_login_8f3a"),
            ("User-Agent", "OpenPortal-Web/1.0"),
        ];

        var login = await client.Login(person.Email, headers: headers);

        Assert.Equal((200, "req_login_8f3a"), (login.Code, login.Header("X-Request-ID")));
        Assert.Equal(200, (await client.Get("/api/v1/ui/bootstrap", login["accessToken"], headers)).Code);
        using var raw = new RawClient(server.Url);
        var bare = await raw.Send("GET /api/v1/auth/me HTTP/1.1", [$"Authorization: Bearer {login["accessToken"]}"]);
        Assert.StartsWith("HTTP/1.1 200", bare, StringComparison.Ordinal);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-100", "S1-117")]
    public async Task Tokens_stand_in_bodies_only_and_refusals_are_not_stored_either(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var login = await server.SignInSomebody();
        var refresh = await client.Refresh(login["refreshToken"]);

        foreach (var answer in new[] { login, refresh })
        {
            var headers = string.Join('\n', answer.Headers.Concat(answer.ContentHeaders).SelectMany(h => h.Value));
            Assert.DoesNotContain(answer["accessToken"], headers, StringComparison.Ordinal);
            Assert.DoesNotContain(answer["refreshToken"], headers, StringComparison.Ordinal);
        }

        Assert.Equal("no-store", (await client.Refresh("rt_junk")).Header("Cache-Control"));
        Assert.Equal("no-store", (await client.Login("a@example.com", "x")).Header("Cache-Control"));
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-102")]
    public async Task In_production_plain_HTTP_is_refused_on_every_route_and_never_redirected(Engine engine)
    {
        await using var server = await GatehouseServer.StartInProduction(engine, ("Gatehouse:TrustedProxies:0", "192.0.2.1"));
        using var client = server.Client();
        foreach (var path in new[] { "/api/v1/auth/login", "/api/v1/auth/refresh", "/v2/auth/login", "/api/v1/auth/logout", "/nothing" })
        {
            var body = new { email = ApiClient.John, password = ApiClient.DemoPassword };
            Wants.Error(await client.Post(path, body), 403, "HTTPS_REQUIRED");
            Wants.Error(await client.Post(path, body, headers: ("X-Forwarded-Proto", "https")), 403, "HTTPS_REQUIRED");
        }

        Wants.Error(await client.Get("/api/v1/auth/me"), 403, "HTTPS_REQUIRED");
        Assert.Equal(200, (await client.Get("/health/live")).Code);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-102")]
    public async Task Behind_a_trusted_proxy_that_ends_TLS_it_is_served_with_strict_transport(Engine engine)
    {
        await using var server = await GatehouseServer.StartInProduction(engine, ("Gatehouse:TrustedProxies:0", "127.0.0.0/8"));
        using var client = server.Client();

        var secure = await client.Get("/api/v1/auth/me", headers: ("X-Forwarded-Proto", "https"));

        Wants.Challenge(secure, "UNAUTHENTICATED", "https://id.example.com");
        Assert.Equal("max-age=31536000; includeSubDomains", secure.Header("Strict-Transport-Security"));
        Wants.Error(await client.Get("/api/v1/auth/me", headers: ("X-Forwarded-Proto", "http")), 403, "HTTPS_REQUIRED");
        Wants.Error(await client.Get("/api/v1/auth/me"), 403, "HTTPS_REQUIRED");
        Wants.Error(await client.Get("/dev/inbox", headers: ("X-Forwarded-Proto", "https")), 404, "NOT_FOUND");
        Wants.Refusal(
            await client.Login(ApiClient.John, ApiClient.DemoPassword, ("X-Forwarded-Proto", "https")), "INVALID_CREDENTIALS");
    }
}
