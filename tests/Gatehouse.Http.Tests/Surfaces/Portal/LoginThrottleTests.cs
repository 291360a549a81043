using System.Globalization;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests.Surfaces.Portal;

/// <summary>Each test calls from addresses of its own, about people of its own.</summary>
public sealed class LoginThrottleTests(ProxiedServers servers, UnthrottledServers unthrottled) : IClassFixture<ProxiedServers>
{
    [Theory]
    [BothEngines]
    [Requirement("S1-28", "S1-29", "S1-30", "S1-31", "S1-32", "S1-103", "S1-115", "S1-116")]
    public async Task The_sixth_attempt_from_an_address_waits_until_a_permit_is_free(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client(People.Address());
        foreach (var remaining in new[] { "4", "3", "2", "1", "0" })
        {
            var wrong = await client.Login($"{Guid.NewGuid()}@example.com", "wrong");
            Wants.Refusal(wrong, "INVALID_CREDENTIALS");
            Assert.Equal(("5", remaining), (wrong.Header("X-RateLimit-Limit"), wrong.Header("X-RateLimit-Remaining")));
            Assert.Equal(InSeconds(server, 180), wrong.Header("X-RateLimit-Reset"));
        }

        IsThrottled(await client.Login("anybody@example.com", "wrong"), server, 180, "5", "3 minutes");
        server.Time.Advance(TimeSpan.FromSeconds(61));
        IsThrottled(await client.Login("anybody@example.com", "wrong"), server, 119, "5", "119 seconds");
        server.Time.Advance(TimeSpan.FromSeconds(119));
        Wants.Refusal(await client.Login("anybody@example.com", "wrong"), "INVALID_CREDENTIALS");
        IsThrottled(await client.Login("anybody@example.com", "wrong"), server, 180, "5", "3 minutes");
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-103")]
    public async Task All_five_permits_are_back_after_15_minutes(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client(People.Address());
        await Fail(client, 5);
        server.Time.Advance(TimeSpan.FromMinutes(15));

        await Fail(client, 5);

        Assert.Equal(429, (await client.Login("anybody@example.com", "wrong")).Code);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-19", "S1-103", "S1-116")]
    public async Task A_success_gives_its_own_permit_back_and_no_other(Engine engine)
    {
        var server = await servers[engine];
        var person = await server.AddPerson();
        using var client = server.Client(People.Address());
        for (var i = 0; i < 7; i++)
        {
            var login = await client.Login(person.Email);
            Assert.Equal((200, "5", "5"), (login.Code, login.Header("X-RateLimit-Limit"), login.Header("X-RateLimit-Remaining")));
            Assert.Equal(InSeconds(server, 0), login.Header("X-RateLimit-Reset"));
        }

        await Fail(client, 4);
        var last = await client.Login(person.Email);

        Assert.Equal((200, "1"), (last.Code, last.Header("X-RateLimit-Remaining")));
        Assert.Equal(InSeconds(server, 180), last.Header("X-RateLimit-Reset"));
        await Fail(client, 1);
        Assert.Equal(429, (await client.Login(person.Email)).Code);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-103")]
    public async Task Addresses_are_counted_apart_and_a_household_of_IPv6_as_one(Engine engine)
    {
        var server = await servers[engine];
        var home = $"2001:db8:0:{People.Number():x}";
        using var first = server.Client($"{home}::1");
        using var second = server.Client($"{home}:ffff::2");
        using var neighbour = server.Client($"2001:db8:1:{People.Number():x}::1");
        await Fail(first, 5);

        Assert.Equal(429, (await first.Login("anybody@example.com", "wrong")).Code);
        Assert.Equal(429, (await second.Login("anybody@example.com", "wrong")).Code);
        Wants.Refusal(await neighbour.Login("anybody@example.com", "wrong"), "INVALID_CREDENTIALS");
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-103")]
    public async Task Portal_and_V2_share_one_bucket_and_malformed_bodies_cost_nothing(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client(People.Address());
        for (var i = 0; i < 8; i++)
        {
            Wants.Invalid(await client.Post("/api/v1/auth/login", new { email = 5 }), "email", "password");
        }

        await Fail(client, 3);
        for (var i = 0; i < 2; i++)
        {
            var body = new { email = $"{Guid.NewGuid()}@example.com", password = "x" };
            Wants.Refusal(await client.Post("/v2/auth/login", body), "INVALID_CREDENTIALS");
        }

        Assert.Equal(429, (await client.Post("/v2/auth/login", new { email = "anybody@example.com", password = "x" })).Code);
        Assert.Equal(429, (await client.Login("anybody@example.com", "x")).Code);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-28")]
    public async Task The_right_password_does_not_help_over_the_limit(Engine engine)
    {
        var server = await servers[engine];
        var person = await server.AddPerson();
        using var client = server.Client(People.Address());
        await Fail(client, 5);

        IsThrottled(await client.Login(person.Email), server, 180, "5", "3 minutes");
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-103")]
    public async Task Two_hundred_guesses_at_once_get_no_more_than_five_answers(Engine engine)
    {
        var server = await servers[engine];
        var person = await server.AddPerson();
        using var client = server.Client(People.Address());

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => client.Login(person.Email, $"guess {i}")));

        Assert.Equal(5, answers.Count(a => a.Code == 401));
        Assert.Equal(195, answers.Count(a => a.Code == 429));
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-28")]
    public async Task Guessing_one_account_from_everywhere_is_limited_without_locking_its_owner_out(Engine engine)
    {
        var server = await servers[engine];
        var person = await server.AddPerson();
        using var home = server.Client(People.Address());
        Assert.Equal(200, (await home.Login(person.Email)).Code);

        var guesses = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => From(server, person.Email, "wrong")));

        Assert.Equal(10, guesses.Count(a => a.Code == 401));
        Assert.All(guesses.Where(a => a.Code != 401), a => IsThrottled(a, server, 360, "10", "6 minutes"));
        Assert.Equal(429, (await From(server, person.Email, ApiClient.DemoPassword)).Code);
        Assert.Equal(200, (await home.Login(person.Email)).Code);
        server.Time.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(200, (await From(server, person.Email, ApiClient.DemoPassword)).Code);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-28")]
    public async Task An_unknown_account_is_limited_as_a_known_one(Engine engine)
    {
        var server = await servers[engine];
        var email = $"{Guid.NewGuid()}@example.com";

        var guesses = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => From(server, email, "wrong")));

        Assert.Equal(10, guesses.Count(a => a.Code == 401));
        Assert.Equal(2, guesses.Count(a => a.Code == 429));
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-19", "S1-116")]
    public async Task With_throttles_off_the_headers_still_show_the_whole_limit(Engine engine)
    {
        using var client = (await unthrottled[engine]).Client();
        for (var i = 0; i < 6; i++)
        {
            var wrong = await client.Login("anybody@example.com", "wrong");
            Assert.Equal((401, "5", "5"), (wrong.Code, wrong.Header("X-RateLimit-Limit"), wrong.Header("X-RateLimit-Remaining")));
        }

        var login = await client.Login();
        Assert.Equal((200, "5", "5"), (login.Code, login.Header("X-RateLimit-Limit"), login.Header("X-RateLimit-Remaining")));
    }

    private static async Task Fail(ApiClient client, int times)
    {
        for (var i = 0; i < times; i++)
        {
            Wants.Refusal(await client.Login($"{Guid.NewGuid()}@example.com", "wrong"), "INVALID_CREDENTIALS");
        }
    }

    private static async Task<Answer> From(GatehouseServer server, string email, string password)
    {
        using var client = server.Client(People.Address());
        return await client.Login(email, password);
    }

    private static void IsThrottled(Answer answer, GatehouseServer server, int seconds, string limit, string wait)
    {
        Wants.Error(answer, 429, "RATE_LIMIT_EXCEEDED", "retryAfter: number");
        var error = answer.Json.GetProperty("error");
        Assert.Equal(seconds, error.GetProperty("retryAfter").GetInt32());
        Assert.Contains(wait, error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(seconds.ToString(CultureInfo.InvariantCulture), answer.Header("Retry-After"));
        Assert.Equal((limit, "0"), (answer.Header("X-RateLimit-Limit"), answer.Header("X-RateLimit-Remaining")));
        Assert.Equal(InSeconds(server, seconds), answer.Header("X-RateLimit-Reset"));
    }

    private static string InSeconds(GatehouseServer server, int seconds) =>
        (server.Time.GetUtcNow().ToUnixTimeSeconds() + seconds).ToString(CultureInfo.InvariantCulture);
}
