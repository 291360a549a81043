using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests.Surfaces.Portal;

public sealed class RevokeTests(UnthrottledServers servers)
{
    private const string Revoke = "/api/v1/auth/revoke";

    [Theory]
    [BothEngines]
    [Requirement("S1-112")]
    public async Task A_token_of_either_kind_under_either_name_ends_its_session_and_no_other(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var person = await server.AddPerson();
        Func<Answer, object>[] bodies =
        [
            login => new { token = login["refreshToken"] },
            login => new { token = login["accessToken"] },
            login => new { refreshToken = login["refreshToken"] },
        ];
        var sibling = await client.Login(person.Email);
        foreach (var body in bodies)
        {
            var login = await client.Login(person.Email);

            var revoked = await client.Post(Revoke, body(login));

            Assert.Equal(200, revoked.Code);
            Wants.Members(revoked.Json, "success: flag");
            Assert.True(revoked.Json.GetProperty("success").GetBoolean());
            Wants.Challenge(await client.Get("/api/v1/auth/me", login["accessToken"]), "SESSION_REVOKED", server.Issuer);
            Wants.Refusal(await client.Refresh(login["refreshToken"]), "SESSION_REVOKED");
            Assert.Equal(revoked.Text, (await client.Post(Revoke, body(login))).Text);
        }

        Assert.Equal(200, (await client.Get("/api/v1/auth/me", sibling["accessToken"])).Code);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-112")]
    public async Task Any_string_gets_the_same_answer_and_ends_nothing(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var login = await server.SignInSomebody();

        foreach (var text in new[]
        {
            "", "x", "rt_junk", "a.b.c", "\0\u0001\u0002", "😀", new string('x', 5000), login["sessionId"],
            login["accessToken"][..^3], login["refreshToken"][..^3],
        })
        {
            var revoked = await client.Post(Revoke, new { token = text });
            Assert.Equal((200, """{"success":true}"""), (revoked.Code, revoked.Text));
        }

        Assert.Equal(200, (await client.Get("/api/v1/auth/me", login["accessToken"])).Code);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-112")]
    public async Task What_is_no_string_is_refused(Engine engine)
    {
        using var client = (await servers[engine]).Client();

        Wants.Invalid(await client.Post(Revoke, new { }), "token");
        Wants.Invalid(await client.Post(Revoke, new { token = 1 }), "token");
        Wants.Invalid(await client.Post(Revoke, """{"token":"\ud800"}"""), "token");
    }
}
