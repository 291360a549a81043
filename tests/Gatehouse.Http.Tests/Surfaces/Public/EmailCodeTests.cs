using System.Security.Cryptography;
using System.Text.Json;
using Gatehouse.Delivery;
using Gatehouse.Testing;
using Gatehouse.Users;
using Xunit;

namespace Gatehouse.Http.Tests.Surfaces.Public;

public sealed class EmailCodeTests(UnthrottledServers servers)
{
    private const string Send = "/api/v1/public/auth/send-email-code";
    private const string Confirm = "/api/v1/public/auth/confirm-email-code";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    [Requirement("S4-12", "S4-16", "S4-27", "S4-28")]
    public async Task Every_address_gets_the_same_answer(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var blocked = await server.AddPerson();
        await server.Get<BlockUser>().Block(BlockTarget.User(blocked.Id), "abuse", Actor.System, Origin.CommandLine, Ct);
        var existing = (await server.AddPerson()).Email;

        foreach (var email in new[] { existing, existing, People.NewAddress(), blocked.Email, $"  {existing.ToUpperInvariant()} " })
        {
            var answer = await client.Post(Send, new { email });

            Wants.Tokens(answer);
            Wants.Members(answer.Json, "challenge_id: text");
            Assert.True(Guid.TryParseExact(answer["challenge_id"], "D", out _));
        }

        // And the blocked one no message, while the others got one each.
        await server.Delivered();
        Assert.Empty(server.Get<DevInbox>().Messages(blocked.Email));
        Assert.Single(server.Get<DevInbox>().Messages(existing));
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-29", "S4-42")]
    public async Task The_code_from_the_message_opens_a_session_without_tokens_unless_they_are_asked_for(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var (first, code) = await server.AskForCode(client, People.NewAddress());
        var (second, other) = await server.AskForCode(client, People.NewAddress());

        var plain = await client.Post(Confirm, new { challenge_id = first, code });
        var full = await client.Post(Confirm, new { challenge_id = second, code = other, tokens = true });

        Wants.Tokens(plain);
        Wants.Members(plain.Json, "device_session_id: text");
        Wants.Tokens(full);
        Wants.Members(full.Json, "device_session_id: text", "access_token: text", "refresh_token: text", "expires_in: number");
        Assert.Equal("900", full["expires_in"]);
        var me = await client.Get("/api/v1/auth/me", full["access_token"]);
        Assert.Equal((200, full["device_session_id"]), (me.Code, me["sessionId"]));
        Assert.Equal(200, (await client.Refresh(full["refresh_token"])).Code);
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-61", "S4-64")]
    public async Task The_same_request_again_answers_the_same_and_tokens_come_again_until_the_first_refresh(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var (challenge, code) = await server.AskForCode(client, People.NewAddress());
        var body = new { challenge_id = challenge, code, tokens = true };

        var first = await client.Post(Confirm, body);
        var again = await client.Post(Confirm, body);
        await client.Refresh(first["refresh_token"]);
        var later = await client.Post(Confirm, body);

        Assert.Equal(first["device_session_id"], again["device_session_id"]);
        Assert.Equal(first["refresh_token"], again["refresh_token"]);
        Wants.Members(later.Json, "device_session_id: text");
        Assert.Equal(first["device_session_id"], later["device_session_id"]);
        await client.Post("/api/v1/auth/revoke", new { token = first["refresh_token"] });
        Wants.Refusal(await client.Post(Confirm, body), "session_revoked");
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-34")]
    public async Task A_new_user_starts_with_the_language_and_time_zone_of_the_client(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var email = People.NewAddress();
        var (challenge, code) = await server.AskForCode(client, email);

        await client.Post(
            Confirm, new { challenge_id = challenge, code, time_zone = "Europe/Berlin" }, headers: ("Accept-Language", "fr;q=0.3, de-AT;q=0.9"));

        var user = await server.Get<UserStore>().FindByEmail(email, Ct);
        Assert.Equal(("de-AT", "Europe/Berlin"), (user!.Preferences.Locale, user.Preferences.TimeZone));
    }

    [Theory]
    [BothEngines]
    public async Task The_message_is_in_the_client_s_language(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var inbox = server.Get<DevInbox>();
        var subjects = new List<string>();
        foreach (var language in new[] { "de", "en-GB", "tlh" })
        {
            var email = People.NewAddress();
            await server.AskForCode(client, email, ("Accept-Language", language));
            subjects.Add(string.Concat(inbox.Messages(email)[0].Subject!.Where(c => !char.IsAsciiDigit(c))));
        }

        Assert.NotEqual(subjects[0], subjects[1]);
        Assert.Equal(subjects[1], subjects[2]);
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-28")]
    public async Task Wrong_expired_unknown_suppressed_exhausted_and_blocked_codes_answer_alike(Engine engine)
    {
        await using var server = await GatehouseServer.Start(engine, ("Gatehouse:RateLimits:Enabled", "false"));
        using var client = server.Client();
        var (expired, expiredCode) = await server.AskForCode(client, People.NewAddress());
        server.Time.Advance(TimeSpan.FromMinutes(10));
        var (wrong, code) = await server.AskForCode(client, People.NewAddress());
        var (exhausted, spent) = await server.AskForCode(client, People.NewAddress());
        for (var i = 0; i < 5; i++)
        {
            await client.Post(Confirm, new { challenge_id = exhausted, code = "x" });
        }

        var victim = await server.AddPerson();
        var (blocked, right) = await server.AskForCode(client, victim.Email);
        await server.Get<BlockUser>().Block(BlockTarget.User(victim.Id), "abuse", Actor.System, Origin.CommandLine, Ct);
        server.Time.Advance(TimeSpan.FromSeconds(60));
        var suppressed = (await client.Post(Send, new { email = victim.Email }))["challenge_id"];
        (string Challenge, string Code)[] all =
        [
            (wrong, code == "000000" ? "000001" : "000000"),
            (expired, expiredCode),
            (Guid.NewGuid().ToString(), code),
            ("no-uuid", code),
            (suppressed, right),
            (exhausted, spent),
            (blocked, right),
        ];

        var messages = new List<string?>();
        foreach (var (challenge, given) in all)
        {
            var answer = await client.Post(Confirm, new { challenge_id = challenge, code = given });
            Wants.Refusal(answer, "invalid_code");
            messages.Add(answer.Json.GetProperty("error").GetProperty("message").GetString());
        }

        Assert.Single(messages.Distinct());
    }

    [Theory]
    [BothEngines]
    public async Task A_session_may_be_bound_to_a_key_and_a_device_and_only_they_repeat_it(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var (challenge, code) = await server.AskForCode(client, People.NewAddress());
        var device = new { device_id = Guid.NewGuid().ToString(), device_type = "phone", device_name = "Ada's", platform = "iOS" };
        var body = new { challenge_id = challenge, code, client_public_key = NewKey(), device };

        var first = await client.Post(Confirm, body);

        Assert.Equal(200, first.Code);
        Assert.Equal(first.Text, (await client.Post(Confirm, body)).Text);

        // Tokens that anybody could use would undo the binding, so there are none.
        Assert.Equal(
            first.Text,
            (await client.Post(Confirm, new { challenge_id = challenge, code, body.client_public_key, device, tokens = true })).Text);
        Wants.Refusal(await client.Post(Confirm, body with { client_public_key = NewKey() }), "invalid_code");
        Wants.Refusal(
            await client.Post(Confirm, body with { device = device with { device_id = Guid.NewGuid().ToString() } }), "invalid_code");
        using var inside = server.InternalClient();
        var session = await inside.Get($"/api/v1/internal/sessions/{first["device_session_id"]}");
        Assert.NotEqual("", session["dpop_jkt"]);
    }

    [Theory]
    [BothEngines]
    public async Task Whatever_is_malformed_is_an_invalid_request_that_names_the_field(Engine engine)
    {
        using var client = (await servers[engine]).Client();
        var id = Guid.NewGuid();
        foreach (var body in new[] { "", "{", "[]", "null", "{}{}", """{"email":"a@example.com","email":"b@example.com"}""", """{"email":"a@example.com"} x""" })
        {
            Wants.Error(await client.Post(Send, body), 400, "invalid_request", body is """{"email":"a@example.com"}""" ? ["details: list"] : []);
        }

        foreach (var (body, field) in new (object Body, string Field)[]
        {
            (new { }, "email"),
            (new { email = (string?)null }, "email"),
            (new { email = 1 }, "email"),
            (new { email = "nobody" }, "email"),
            (new { email = $"{new string('a', 250)}@example.com" }, "email"),
            (new { email = "a\0@example.com" }, "email"),
            (new { email = "a@example.com", more = 1 }, "more"),
        })
        {
            Names(await client.Post(Send, body), field);
        }

        foreach (var (body, field) in new (object Body, string Field)[]
        {
            (new { code = "1" }, "challenge_id"),
            (new { challenge_id = id }, "code"),
            (new { challenge_id = id, code = 123456 }, "code"),
            (new { challenge_id = id, code = "1", tokens = "yes" }, "tokens"),
            (new { challenge_id = id, code = "1", time_zone = "Mars/Olympus" }, "time_zone"),
            (new { challenge_id = id, code = "1", device = "phone" }, "device"),
            (new { challenge_id = id, code = "1", device = new { device_id = "x" } }, "device.device_id"),
            (new { challenge_id = id, code = "1", device = new { device_id = id, colour = "red" } }, "device.colour"),
            (new { challenge_id = id, code = "1", device = new { device_id = id, device_name = new string('x', 129) } }, "device.device_name"),
            (new { challenge_id = id, code = "1", client_public_key = new { kty = "EC", crv = "P-256", x = "AA", y = "AA" } }, "client_public_key.x"),
            (new { challenge_id = id, code = "1", refresh = true }, "refresh"),
        })
        {
            Names(await client.Post(Confirm, body), field);
        }

        Wants.Error(await client.Post(Send, new StringContent("email=a")), 415, "unsupported_media_type");
        Wants.Error(await client.Get(Send), 405, "method_not_allowed");
        Wants.Error(await client.Get("/api/v1/public/auth/nothing"), 404, "NOT_FOUND");
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-56", "S4-57", "S4-58", "S4-59", "S4-60", "S4-64")]
    public async Task While_nothing_can_be_published_the_answer_is_503_and_the_same_request_repairs_it(Engine engine)
    {
        await using var feed = await PostgresServer.Start("fsync=off");
        await using var server = await GatehouseServer.Start(
            engine, ("Gatehouse:Projection:ConnectionString", await feed.CreateDatabase()));
        using var client = server.Client();
        using var inside = server.InternalClient();
        var (challenge, code) = await server.AskForCode(client, People.NewAddress());
        var body = new { challenge_id = challenge, code };
        await feed.Stop("immediate");

        Wants.Error(await client.Post(Confirm, body), 503, "service_unavailable", "retryAfter: number");
        await feed.Launch();
        var confirmed = await client.Post(Confirm, body);
        var revoke = $"/api/v1/internal/sessions/{confirmed["device_session_id"]}/revoke";
        await feed.Stop("immediate");
        Wants.Error(
            await inside.Post(revoke, Internal.InternalSessionsTests.Mutation("stolen")), 503, "service_unavailable", "retryAfter: number");
        await feed.Launch();

        Internal.InternalSessionsTests.Affected(
            await inside.Post(revoke, Internal.InternalSessionsTests.Mutation("stolen")), confirmed["device_session_id"]);
        var user = (await inside.Get($"/api/v1/internal/sessions/{confirmed["device_session_id"]}"))["user_id"];
        Assert.Single((await inside.Get($"/api/v1/internal/users/{user}/sessions")).Json.GetProperty("sessions").EnumerateArray());
    }

    [Theory]
    [BothEngines]
    public async Task A_client_address_that_asks_too_often_is_told_when_to_come_back(Engine engine)
    {
        await using var server = await GatehouseServer.Start(engine);
        using var client = server.Client();
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(200, (await client.Post(Send, new { email = People.NewAddress() })).Code);
        }

        var answer = await client.Post(Send, new { email = People.NewAddress() });

        Wants.Error(answer, 429, "rate_limit_exceeded", "retryAfter: number");
        Assert.Equal("360", answer.Header("Retry-After"));
    }

    private static void Names(Answer answer, string field)
    {
        Wants.Error(answer, 400, "invalid_request", "details: list");
        Assert.Contains(field, answer.Json.GetProperty("error").GetProperty("details").EnumerateArray().Select(d => d.GetProperty("field").GetString()));
    }

    private static JsonElement NewKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        return JsonSerializer.SerializeToElement(new
        {
            kty = "EC",
            crv = "P-256",
            x = System.Buffers.Text.Base64Url.EncodeToString(point.X),
            y = System.Buffers.Text.Base64Url.EncodeToString(point.Y),
            use = "sig",
        });
    }
}
