using System.Net;
using System.Text;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests;

/// <summary>Whatever arrives gets a clear 4xx in the envelope, never a 500 and never an empty body.</summary>
public sealed class BadInputTests(UnthrottledServers servers)
{
    private const string Login = "/api/v1/auth/login";

    private static readonly string[] Writes =
    [
        Login, "/api/v1/auth/refresh", "/api/v1/auth/logout", "/api/v1/auth/revoke", "/v2/auth/login", "/v2/auth/refresh", "/v2/auth/logout",
    ];

    public static TheoryData<string> Malformed { get; } =
    [
        "", " ", "{", "}", "{\"email\"", "{\"email\":}", "{\"email\":\"a\",}", "{email:\"a\"}", "{'email':'a'}", "[]", "[{}]", "null", "true", "7",
        "\"text\"", "{}{}", "{} {\"email\":\"a\"}", "{}x", "{}/**/", "//c\n{}", "{\"email\":\"a\",\"email\":\"b\",\"password\":\"c\"}",
        "{\"email\":\"a\",\"\\u0065mail\":\"b\"}", "{\"x\":{\"y\":1,\"y\":2}}", "{\"email\":\"\t\"}", "{\"email\":\"\\x\"}",
        "{\"email\":\"\\u12\"}", "{\"n\":01}", "{\"n\":NaN}", "\u00a0{}", "﻿﻿{}",
    ];

    [Theory]
    [MemberData(nameof(Malformed))]
    [Requirement("S1-4", "S1-11")]
    public async Task A_body_that_is_not_one_JSON_object_is_an_invalid_request(string body)
    {
        using var client = (await servers[Engine.Sqlite]).Client();
        foreach (var path in Writes.Where(path => body.Length > 0 || !path.EndsWith("/logout", StringComparison.Ordinal)))
        {
            Wants.Error(await client.Post(path, body.Length == 0 ? Bytes([]) : body), 400, "INVALID_REQUEST");
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-11")]
    public async Task Bytes_that_are_no_UTF8_and_lone_surrogates_are_refused_wherever_they_stand(Engine engine)
    {
        using var client = (await servers[engine]).Client();
        byte[][] broken = [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80]];
        foreach (var bytes in broken)
        {
            byte[] value = [.. "{\"password\":\"x\",\"email\":\"a"u8, .. bytes, .. "\"}"u8];
            byte[] name = [.. "{\"password\":\"x\",\"email\":\"a\",\""u8, .. bytes, .. "\":1}"u8];

            Wants.Error(await client.Post(Login, Bytes(value)), 400, "INVALID_REQUEST");
            Wants.Error(await client.Post(Login, Bytes(name)), 400, "INVALID_REQUEST");
        }

        foreach (var lone in new[] { @"\ud800", @"\udc00", @"\udc00\ud800", @"a\ud83dx" })
        {
            Wants.Invalid(await client.Post(Login, $$"""{"email":"{{lone}}","password":"{{lone}}"}"""), "email", "password");
            Refused(await client.Post(Login, $$"""{"{{lone}}":1,"email":"a","password":"b"}"""));
            Refused(await client.Post(Login, $$"""{"{{lone}}":1}"""));
            Refused(await client.Post(Login, $$"""{"x":{"{{lone}}":1} }"""));
            Wants.Invalid(await client.Post("/api/v1/auth/refresh", $$"""{"refreshToken":"{{lone}}"}"""), "refreshToken");
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-11")]
    public async Task Every_field_of_a_wrong_type_is_named_at_once(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var token = (await server.SignInSomebody())["accessToken"];
        foreach (var wrong in new[] { "1", "1e999", "true", "[]", "{}", "[\"a@example.com\"]" })
        {
            Wants.Invalid(
                await client.Post(Login, $$"""{"email":{{wrong}},"password":{{wrong}},"rememberMe":"yes"}"""),
                "email", "password", "rememberMe");
            Wants.Invalid(await client.Post("/api/v1/auth/refresh", $$"""{"refreshToken":{{wrong}}}"""), "refreshToken");
            Wants.Invalid(await client.Post("/api/v1/auth/logout", $$"""{"refreshToken":{{wrong}}}""", token), "refreshToken");
            Wants.Invalid(
                await client.Send(
                    HttpMethod.Patch,
                    "/api/v1/users/me/preferences",
                    $$"""{"locale":{{wrong}},"timezone":{{wrong}},"dateFormat":{{wrong}},"timeFormat":{{wrong}}}""",
                    token),
                "locale", "timezone", "dateFormat", "timeFormat");
        }

        Wants.Invalid(await client.Post(Login, """{"email":null,"password":null,"rememberMe":null}"""), "email", "password");
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-11", "S1-27")]
    public async Task NUL_and_control_characters_never_reach_the_store(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var token = (await server.SignInSomebody())["accessToken"];
        for (var c = '\0'; c < ' '; c++)
        {
            var text = $"a{c}b@example.com";

            Refused(await client.Post(Login, new { email = text, password = text }));
            Refused(await client.Post("/api/v1/auth/refresh", new { refreshToken = text }));
            Refused(await client.Post("/api/v1/auth/logout", new { refreshToken = text }));
            Assert.Equal(200, (await client.Post("/api/v1/auth/revoke", new { token = text })).Code);
            Refused(await client.Send(HttpMethod.Patch, "/api/v1/users/me/preferences", new { locale = text, timezone = text }, token));
        }

        Wants.Invalid(await client.Post(Login, new { email = "a\0@example.com", password = "x" }), "email");
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-11")]
    public async Task Ten_thousand_characters_of_address_and_deep_nests_are_refused_quickly(Engine engine)
    {
        using var client = (await servers[engine]).Client();

        Wants.Invalid(await client.Post(Login, new { email = new string('a', 10_000), password = "x" }), "email");
        Wants.Invalid(
            await client.Post(Login, new { email = new string('a', 10_000), password = new string('x', 10_000) }), "email", "password");
        foreach (var depth in new[] { 17, 1000, 30_000 })
        {
            var nest = $"{{\"email\":{new string('[', depth)}{new string(']', depth)}}}";
            Wants.Error(await client.Post(Login, nest), 400, "INVALID_REQUEST");
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-11")]
    public async Task A_body_over_64_KiB_is_too_large_and_one_of_64_KiB_is_not(Engine engine)
    {
        using var client = (await servers[engine]).Client();
        foreach (var path in Writes)
        {
            var large = Bytes(Encoding.ASCII.GetBytes($"{{\"x\":\"{new string('x', 1_000_000)}\"}}"));
            Wants.Error(await client.Post(path, large, headers: ("Expect", "100-continue")), 413, "PAYLOAD_TOO_LARGE");
        }

        var chunked = Bytes(Encoding.ASCII.GetBytes($"{{\"x\":\"{new string('x', 70_000)}\"}}"));
        Wants.Error(await client.Post(Login, chunked, headers: ("Transfer-Encoding", "chunked")), 413, "PAYLOAD_TOO_LARGE");
        var largest = Bytes(Encoding.ASCII.GetBytes($"{{\"x\":\"{new string('x', 65_528)}\"}}"));
        Wants.Invalid(await client.Post(Login, largest), "email", "password");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("text/plain")]
    [InlineData("text/json")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("application/json; charset=iso-8859-1")]
    [InlineData("application/json5")]
    [InlineData("application/problem+json")]
    [InlineData("nonsense")]
    [Requirement("S1-4")]
    public async Task Any_other_media_type_or_charset_is_unsupported(string? type)
    {
        using var client = (await servers[Engine.Sqlite]).Client();
        foreach (var path in Writes)
        {
            Wants.Error(await client.Post(path, Bytes("{}"u8.ToArray(), type)), 415, "UNSUPPORTED_MEDIA_TYPE");
        }
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("Application/JSON")]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("application/json;charset=UTF-8")]
    [InlineData("application/json; charset=\"utf-8\"")]
    [InlineData("application/json; profile=x")]
    [Requirement("S1-4")]
    public async Task JSON_in_UTF8_is_taken_in_every_spelling(string type)
    {
        using var client = (await servers[Engine.Sqlite]).Client();

        Wants.Invalid(await client.Post(Login, Bytes("{}"u8.ToArray(), type)), "email", "password");
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-17")]
    public async Task Unknown_members_are_ignored_and_text_may_be_of_any_script(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var person = await server.AddPerson();

        var login = await client.Post(
            Login,
            $$"""{"email":"{{person.Email}}","password":"{{ApiClient.DemoPassword}}","x":{"y":[1]},"Email":7,"captcha":"日本"}""");

        Assert.Equal(200, login.Code);
        Wants.Refusal(await client.Post(Login, new { email = "пользователь@пример.рф", password = "😀 пароль" }), "INVALID_CREDENTIALS");
    }

    private static Answer Refused(Answer answer)
    {
        Assert.InRange(answer.Code, 400, 499);
        Assert.Equal(answer.Header("X-Request-ID"), answer.Json.GetProperty("error").GetProperty("requestId").GetString());
        Assert.NotEqual(HttpStatusCode.NotFound, answer.Status);
        return answer;
    }

    private static ByteArrayContent Bytes(byte[] bytes, string? type = "application/json")
    {
        var content = new ByteArrayContent(bytes);
        if (type is not null)
        {
            content.Headers.TryAddWithoutValidation("Content-Type", type);
        }

        return content;
    }
}
