using System.Text.Json;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests;

public sealed class EnvelopeTests(UnthrottledServers servers)
{
    private static readonly (string Path, string Allow)[] Routes =
    [
        ("/api/v1/auth/login", "POST"), ("/api/v1/auth/refresh", "POST"), ("/api/v1/auth/logout", "POST"), ("/api/v1/auth/revoke", "POST"),
        ("/api/v1/auth/logout-all", "POST"), ("/api/v1/auth/me", "GET"), ("/api/v1/auth/sessions", "GET"),
        ("/api/v1/auth/sessions/x", "DELETE"), ("/api/v1/ui/bootstrap", "GET"), ("/api/v1/users/me/preferences", "GET, PATCH"),
        ("/v2/auth/login", "POST"), ("/v2/auth/refresh", "POST"), ("/v2/auth/logout", "POST"), ("/v2/auth/me", "GET"),
        ("/oauth/jwks", "GET"), ("/health/live", "GET"), ("/health/ready", "GET"),
    ];

    [Theory]
    [BothEngines]
    [Requirement("S1-3", "S1-10", "S1-11")]
    public async Task An_error_is_one_object_with_code_message_time_and_request_id(Engine engine)
    {
        using var client = (await servers[engine]).Client();

        var answer = await client.Get("/api/v1/nothing", headers: ("X-Request-ID", "req_test_1"));

        Assert.Equal(404, answer.Code);
        Assert.True(JsonElement.DeepEquals(
            JsonSerializer.SerializeToElement(new
            {
                error = new
                {
                    code = "NOT_FOUND",
                    message = "There is nothing here.",
                    timestamp = "2026-01-18T10:00:00Z",
                    requestId = "req_test_1",
                },
            }),
            answer.Json));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/api")]
    [InlineData("/api/v1")]
    [InlineData("/api/v2/auth/me")]
    [InlineData("/api/v1/auth")]
    [InlineData("/api/v1/auth/nothing")]
    [InlineData("/v2/nothing")]
    [InlineData("/api/v1/auth/sessions/a/b")]
    [InlineData("/api/v1/auth/me%2F")]
    [InlineData("/api/v1//auth/me")]
    [InlineData("/<script>alert(1)</script>")]
    [InlineData("/api/v1/auth/%F0%9F%98%80")]
    [InlineData("/?x=%00")]
    [Requirement("S1-11")]
    public async Task An_unknown_path_is_not_found_by_any_method(string path)
    {
        using var client = (await servers[Engine.Sqlite]).Client();
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Post, HttpMethod.Put, HttpMethod.Delete, HttpMethod.Options })
        {
            var answer = await client.Send(method, path);

            Wants.Error(answer, 404, "NOT_FOUND");
            Assert.DoesNotContain("script", answer.Text, StringComparison.Ordinal);
        }

        var head = await client.Send(HttpMethod.Head, path);
        Assert.Equal((404, ""), (head.Code, head.Text));
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-11")]
    public async Task A_method_that_a_path_does_not_take_is_refused_with_those_it_takes(Engine engine)
    {
        using var client = (await servers[engine]).Client();
        foreach (var (path, allow) in Routes)
        {
            foreach (var method in new[] { "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get" })
            {
                if (!allow.Split(", ").Contains(method, StringComparer.OrdinalIgnoreCase))
                {
                    var answer = await client.Send(new HttpMethod(method), path, bearer: "x");
                    Wants.Error(answer, 405, "METHOD_NOT_ALLOWED");
                    Assert.Equal(allow, string.Join(", ", answer.Header("Allow")!.Split(", ").Order(StringComparer.Ordinal)));
                }
            }
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-11")]
    public async Task HEAD_OPTIONS_and_overridden_methods_have_no_effect(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var person = await server.AddPerson();
        var login = await client.Login(person.Email);
        var body = new { email = person.Email, password = ApiClient.DemoPassword, refreshToken = login["refreshToken"] };
        foreach (var path in Routes.Select(route => route.Path).Append($"/api/v1/auth/sessions/{login["sessionId"]}"))
        {
            await client.Send(HttpMethod.Head, path, body, login["accessToken"]);
            await client.Send(HttpMethod.Options, path, body, login["accessToken"]);
            await client.Send(
                HttpMethod.Get, path, null, login["accessToken"], ("X-HTTP-Method-Override", "POST"), ("X-Method-Override", "DELETE"));
        }

        Assert.Single((await client.Get("/api/v1/auth/sessions", login["accessToken"])).Json.GetProperty("sessions").EnumerateArray());
        Assert.Equal(200, (await client.Refresh(login["refreshToken"])).Code);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-6", "S1-7", "S1-11")]
    public async Task A_harmless_request_id_is_echoed_and_any_other_is_replaced(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        foreach (var id in new[] { "req_login_8f3a", "a", "A-Z.0_9", new string('x', 128) })
        {
            Assert.Equal(id, (await client.Get("/health/live", headers: ("X-Request-ID", id))).Header("X-Request-ID"));
            var error = await client.Get("/nothing", headers: ("X-Request-ID", id));
            Assert.Equal(id, error.Json.GetProperty("error").GetProperty("requestId").GetString());
        }

        var fresh = new HashSet<string>(StringComparer.Ordinal);
        foreach (var id in new[] { "", " ", "a b", "a,b", "a;b", "<x>", "a\"b", "ä", "日", new string('x', 129), "a/b", "req:1" })
        {
            var answer = await client.Get("/nothing", headers: ("X-Request-ID", id));

            var given = answer.Header("X-Request-ID")!;
            Assert.Matches("^req_[A-Za-z0-9_-]{16}$", given);
            Assert.Equal(given, answer.Json.GetProperty("error").GetProperty("requestId").GetString());
            Assert.True(fresh.Add(given));
        }

        Assert.Matches("^req_", (await client.Get("/health/live")).Header("X-Request-ID"));
        using var raw = new RawClient(server.Url);
        var twice = await raw.Send("GET /nothing HTTP/1.1", ["X-Request-ID: a", "X-Request-ID: b"]);
        Assert.Contains("\r\nX-Request-ID: req_", twice, StringComparison.Ordinal);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-7", "S1-11")]
    public async Task The_request_id_is_in_success_and_refusal_of_every_route_alike(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var login = await server.SignInSomebody();
        foreach (var (path, allow) in Routes)
        {
            var refusal = await client.Send(new HttpMethod(allow.Split(", ")[0]), path, headers: ("X-Request-ID", "req_refused"));
            Assert.Equal("req_refused", refusal.Header("X-Request-ID"));
            if (allow.StartsWith("GET", StringComparison.Ordinal))
            {
                var success = await client.Get(path, login["accessToken"], ("X-Request-ID", "req_answered"));
                Assert.Equal((200, "req_answered"), (success.Code, success.Header("X-Request-ID")));
            }
        }
    }
}
