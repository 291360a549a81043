using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests.Surfaces.Internal;

/// <summary>Who is blocked gets in by no way at all.</summary>
public sealed class InternalBlocksTests(UnthrottledServers servers)
{
    private const string Blocks = "/api/v1/internal/user-blocks";

    public enum Principal
    {
        Active,
        BlockedById,
        BlockedByAddress,
        Unblocked,
    }

    public enum Way
    {
        Password,
        V2Password,
        EmailCode,
        EmailCodeAskedBefore,
        Refresh,
        AccessToken,
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-19", "S4-22", "S4-33", "S4-46", "S4-47")]
    public async Task A_block_closes_every_way_in_and_unblocking_opens_it_for_what_is_new(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        using var inside = server.InternalClient();
        foreach (var principal in Enum.GetValues<Principal>())
        {
            foreach (var way in Enum.GetValues<Way>())
            {
                var person = await server.AddPerson();
                var login = await client.Login(person.Email);
                var earlier = way == Way.EmailCodeAskedBefore ? await server.AskForCode(client, person.Email) : default;

                await Put(inside, person, principal);

                var isOpen = principal switch
                {
                    Principal.Active => true,
                    Principal.Unblocked => way is not (Way.Refresh or Way.AccessToken or Way.EmailCodeAskedBefore),
                    _ => false,
                };
                var answer = await Try(server, client, way, person, login, earlier);
                Assert.True((answer.Code == 200) == isOpen, $"{way} as {principal}: {answer.Code} {answer.Text}");
                Assert.True(isOpen || answer.Code == 401, answer.Text);
            }
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-48", "S4-49", "S4-52", "S4-53")]
    public async Task Blocking_again_is_no_error_and_names_what_the_block_ended(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        using var inside = server.InternalClient();
        var person = await server.AddPerson();
        var login = await client.Login(person.Email);
        var body = new { user_id = person.Id, reason_code = "abuse", actor = InternalSessionsTests.Actor };

        var first = await inside.Post(Blocks, body);
        var again = await inside.Post(Blocks, body);

        InternalSessionsTests.Affected(first, login["sessionId"]);
        InternalSessionsTests.Affected(again, login["sessionId"]);
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-46")]
    public async Task An_address_is_blocked_before_it_has_a_user(Engine engine)
    {
        await using var server = await GatehouseServer.Start(engine, ("Gatehouse:RateLimits:Enabled", "false"));
        using var client = server.Client();
        using var inside = server.InternalClient();
        var email = People.NewAddress();
        var (challenge, code) = await server.AskForCode(client, email);

        var blocked = await inside.Post(
            Blocks, new { email = email.ToUpperInvariant(), reason_code = "abuse", actor = InternalSessionsTests.Actor });

        InternalSessionsTests.Affected(blocked);
        Wants.Refusal(
            await client.Post("/api/v1/public/auth/confirm-email-code", new { challenge_id = challenge, code }), "invalid_code");
        InternalSessionsTests.Affected(
            await inside.Send(HttpMethod.Delete, $"{Blocks}/{email}", InternalSessionsTests.Mutation("mistake")));

        // What was asked for before the block stays worthless; a new code is good.
        Wants.Refusal(
            await client.Post("/api/v1/public/auth/confirm-email-code", new { challenge_id = challenge, code }), "invalid_code");
        server.Time.Advance(TimeSpan.FromSeconds(60));
        var (again, other) = await server.AskForCode(client, email);
        Assert.Equal(200, (await client.Post("/api/v1/public/auth/confirm-email-code", new { challenge_id = again, code = other })).Code);
    }

    [Theory]
    [BothEngines]
    public async Task Exactly_one_of_user_and_address_must_be_named(Engine engine)
    {
        var server = await servers[engine];
        using var inside = server.InternalClient();
        var actor = InternalSessionsTests.Actor;
        foreach (var body in new object[]
        {
            new { reason_code = "abuse", actor },
            new { user_id = Guid.NewGuid(), email = "a@example.com", reason_code = "abuse", actor },
            new { email = "nobody", reason_code = "abuse", actor },
            new { email = "a@example.com", actor },
            new { email = "a@example.com", reason_code = "abuse" },
        })
        {
            Wants.Error(await inside.Post(Blocks, body), 400, "invalid_request", "details: list");
        }

        Wants.Error(await inside.Post(Blocks, new { user_id = Guid.NewGuid(), reason_code = "abuse", actor }), 404, "not_found");
        Wants.Error(await inside.Post(Blocks, new { user_id = "x", reason_code = "abuse", actor }), 404, "not_found");
        foreach (var target in new[] { Guid.NewGuid().ToString(), People.NewAddress(), new string('x', 300) })
        {
            Wants.Error(
                await inside.Send(HttpMethod.Delete, $"{Blocks}/{target}", InternalSessionsTests.Mutation("mistake")), 404, "not_found");
        }
    }

    private static async Task Put(ApiClient inside, Person person, Principal principal)
    {
        var actor = InternalSessionsTests.Actor;
        if (principal is Principal.BlockedById or Principal.Unblocked)
        {
            Assert.Equal(200, (await inside.Post(Blocks, new { user_id = person.Id, reason_code = "abuse", actor })).Code);
        }
        else if (principal is Principal.BlockedByAddress)
        {
            Assert.Equal(200, (await inside.Post(Blocks, new { email = person.Email, reason_code = "abuse", actor })).Code);
        }

        if (principal is Principal.Unblocked)
        {
            var answer = await inside.Send(HttpMethod.Delete, $"{Blocks}/{person.Id}", InternalSessionsTests.Mutation("mistake"));
            Assert.Equal(200, answer.Code);
        }
    }

    private static async Task<Answer> Try(
        GatehouseServer server, ApiClient client, Way way, Person person, Answer login, (string ChallengeId, string Code) earlier)
    {
        const string confirm = "/api/v1/public/auth/confirm-email-code";
        switch (way)
        {
            case Way.Password:
                return await client.Login(person.Email);
            case Way.V2Password:
                return await client.Post("/v2/auth/login", new { email = person.Email, password = ApiClient.DemoPassword });
            case Way.EmailCode:
                // A suppressed challenge gets no message; its code is known to nobody, so what a message would hold is derived here.
                var sent = await client.Post("/api/v1/public/auth/send-email-code", new { email = person.Email });
                var codes = server.Get<Challenges.ChallengeCodes>();
                var code = codes.Derive(Guid.Parse(sent["challenge_id"]), Challenges.ChallengePurpose.EmailSignIn, person.Email, 6);
                return await client.Post(confirm, new { challenge_id = sent["challenge_id"], code });
            case Way.EmailCodeAskedBefore:
                return await client.Post(confirm, new { challenge_id = earlier.ChallengeId, code = earlier.Code });
            case Way.Refresh:
                return await client.Refresh(login["refreshToken"]);
            default:
                return await client.Get("/api/v1/auth/me", login["accessToken"]);
        }
    }
}
