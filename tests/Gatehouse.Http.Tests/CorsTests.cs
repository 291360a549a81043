using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests;

/// <summary>The application and the API are on different hosts: the configured one may read, and no other.</summary>
public sealed class CorsTests(CorsTests.Servers servers, UnthrottledServers unconfigured) : IClassFixture<CorsTests.Servers>
{
    private const string App = "https://app.example.com";

    [Theory]
    [BothEngines]
    [Requirement("S1-2", "S1-4", "S1-5", "S1-6")]
    public async Task The_application_may_send_its_methods_and_headers(Engine engine)
    {
        using var client = (await servers[engine]).Client();
        foreach (var (path, method) in new[]
        {
            ("/api/v1/auth/login", "POST"), ("/api/v1/ui/bootstrap", "GET"), ("/api/v1/users/me/preferences", "PATCH"),
            ("/api/v1/auth/sessions/x", "DELETE"),
        })
        {
            const string headers = "authorization, content-type, idempotency-key, if-none-match, x-client-version, x-request-id";

            var preflight = await Preflight(client, path, App, method, headers);

            Assert.Equal((204, App), (preflight.Code, preflight.Header("Access-Control-Allow-Origin")));
            Assert.Contains(method, preflight.Header("Access-Control-Allow-Methods")!.Split(','));
            var allowed = preflight.Header("Access-Control-Allow-Headers")!.Split(',', StringSplitOptions.TrimEntries);
            Assert.All(headers.Split(", "), header => Assert.Contains(header, allowed, StringComparer.OrdinalIgnoreCase));
            Assert.Equal("3600", preflight.Header("Access-Control-Max-Age"));
            Assert.Null(preflight.Header("Access-Control-Allow-Credentials"));
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-2")]
    public async Task The_application_may_read_answers_and_refusals_with_their_headers(Engine engine)
    {
        using var client = (await servers[engine]).Client();
        var login = await client.Login(ApiClient.John, headers: ("Origin", App));
        Answer[] answers =
        [
            login,
            await client.Get("/api/v1/ui/bootstrap", login["accessToken"], ("Origin", App)),
            await client.Get("/api/v1/auth/me", headers: ("Origin", App)),
            await client.Login("a@example.com", "x", ("Origin", App)),
            await client.Send(HttpMethod.Post, "/api/v1/auth/login", "{", headers: ("Origin", App)),
            await client.Send(HttpMethod.Put, "/api/v1/auth/login", "{}", headers: ("Origin", App)),
        ];

        foreach (var answer in answers)
        {
            Assert.Equal(App, answer.Header("Access-Control-Allow-Origin"));
            Assert.Equal(
                ["ETag", "Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-Request-ID"],
                answer.Header("Access-Control-Expose-Headers")!.Split(',', StringSplitOptions.TrimEntries).Order(StringComparer.Ordinal));
            Assert.Null(answer.Header("Access-Control-Allow-Credentials"));
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-2")]
    public async Task Any_other_origin_reads_nothing(Engine engine)
    {
        var without = await unconfigured[engine];
        using var client = (await servers[engine]).Client();
        using var bare = without.Client();
        foreach (var origin in new[]
        {
            "https://evil.example", "http://app.example.com", "https://app.example.com:8443", "https://app.example.com.evil.example",
            "https://sub.app.example.com", "null",
        })
        {
            await ReadsNothing(client, origin);
        }

        await ReadsNothing(bare, App);
    }

    [Theory]
    [BothEngines]
    public async Task Keys_may_be_read_by_any_page_without_credentials(Engine engine)
    {
        using var client = (await unconfigured[engine]).Client();

        var keys = await client.Get("/oauth/jwks", headers: ("Origin", "https://anybody.example"));

        Assert.Equal("*", keys.Header("Access-Control-Allow-Origin"));
        Assert.Null(keys.Header("Access-Control-Allow-Credentials"));
    }

    private static async Task ReadsNothing(ApiClient client, string origin)
    {
        var preflight = await Preflight(client, "/api/v1/auth/login", origin, "POST", "content-type");
        var login = await client.Login("a@example.com", "x", ("Origin", origin));
        foreach (var answer in new[] { preflight, login })
        {
            Assert.Null(answer.Header("Access-Control-Allow-Origin"));
            Assert.Null(answer.Header("Access-Control-Allow-Headers"));
        }
    }

    private static Task<Answer> Preflight(ApiClient client, string path, string origin, string method, string headers) => client.Send(
        HttpMethod.Options,
        path,
        headers: [("Origin", origin), ("Access-Control-Request-Method", method), ("Access-Control-Request-Headers", headers)]);

    public sealed class Servers() : BothServers(("Gatehouse:RateLimits:Enabled", "false"), ("Gatehouse:Cors:Origins:0", App));
}
