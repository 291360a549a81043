using Gatehouse.Testing;
using Gatehouse.Users;
using Xunit;

namespace Gatehouse.Http.Tests.Surfaces.Portal;

public sealed class LoginTests(UnthrottledServers servers)
{
    private static readonly string[] SessionMembers =
    [
        "success: flag", "accessToken: text", "refreshToken: text", "tokenType: text", "expiresIn: number", "user: object", "sessionId: text",
    ];

    [Theory]
    [BothEngines]
    [Requirement("S1-3", "S1-4", "S1-9", "S1-12", "S1-17", "S1-18", "S1-20", "S1-22", "S1-23", "S1-24", "S1-117", "S1-120")]
    public async Task Email_and_password_answer_tokens_user_and_tenant_and_nothing_else(Engine engine)
    {
        using var client = (await servers[engine]).Client();

        var login = await client.Send(
            HttpMethod.Post,
            "/api/v1/auth/login",
            new { email = ApiClient.John, password = ApiClient.DemoPassword },
            headers: ("Accept", "application/json"));

        Wants.Tokens(login);
        Wants.Members(login.Json, [.. SessionMembers, "tenant: object"]);
        Assert.True(login.Json.GetProperty("success").GetBoolean());
        Assert.Equal("Bearer", login["tokenType"]);
        Assert.Equal(3600, login.Json.GetProperty("expiresIn").GetInt32());
        Assert.Matches("^rt_[A-Za-z0-9_-]{76}$", login["refreshToken"]);
        Assert.Equal(200, (await client.Get("/api/v1/auth/me", login["accessToken"])).Code);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-10", "S1-25", "S1-26", "S1-113", "S1-114", "S1-121", "S1-122")]
    public async Task The_user_and_the_tenant_have_the_members_of_the_document(Engine engine)
    {
        using var client = (await servers[engine]).Client();

        var login = await client.Login();

        var user = login.Json.GetProperty("user");
        Wants.Members(
            user,
            "id: text", "email: text", "name: text", "firstName: text", "lastName: text", "avatar: text", "emailVerified: flag",
            "createdAt: text");
        Assert.Equal(ApiClient.John, user.GetProperty("email").GetString());
        Assert.Equal("John Doe", user.GetProperty("name").GetString());
        Assert.Equal("John", user.GetProperty("firstName").GetString());
        Assert.Equal("Doe", user.GetProperty("lastName").GetString());
        Assert.Equal("https://cdn.example.com/avatars/john.doe.jpg", user.GetProperty("avatar").GetString());
        Assert.True(user.GetProperty("emailVerified").GetBoolean());
        Assert.Equal("2026-01-18T10:00:00Z", user.GetProperty("createdAt").GetString());
        var tenant = login.Json.GetProperty("tenant");
        Wants.Members(tenant, "id: text", "name: text", "domain: text");
        Assert.Equal("Acme Corporation", tenant.GetProperty("name").GetString());
        Assert.Equal("acme.example.com", tenant.GetProperty("domain").GetString());
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-21", "S1-98", "S1-109")]
    public async Task The_access_token_is_a_signed_JWT_about_user_session_and_tenant_for_an_hour(Engine engine)
    {
        var server = await servers[engine];

        var login = await server.SignInSomebody();

        var token = login["accessToken"];
        var header = Jwt.Header(token);
        Wants.Members(header, "alg: text", "typ: text", "kid: text");
        Assert.Equal("ES256", header.GetProperty("alg").GetString());
        Assert.Equal("at+jwt", header.GetProperty("typ").GetString());
        var claims = Jwt.Claims(token);
        Wants.Members(
            claims,
            "iss: text", "sub: text", "aud: text", "exp: number", "iat: number", "jti: text", "sid: text", "tid: text", "scope: text",
            "amr: list", "auth_time: number");
        Assert.Equal(server.Issuer, claims.GetProperty("iss").GetString());
        Assert.Equal(server.Issuer, claims.GetProperty("aud").GetString());
        Assert.Equal(login.Json.GetProperty("user").GetProperty("id").GetString(), claims.GetProperty("sub").GetString());
        Assert.Equal(login.Json.GetProperty("tenant").GetProperty("id").GetString(), claims.GetProperty("tid").GetString());
        Assert.Equal(login["sessionId"], claims.GetProperty("sid").GetString());
        Assert.Equal("openid profile email", claims.GetProperty("scope").GetString());
        Assert.Equal("pwd", Assert.Single(claims.GetProperty("amr").EnumerateArray()).GetString());
        var issuedAt = claims.GetProperty("iat").GetInt64();
        Assert.Equal(server.Time.GetUtcNow().ToUnixTimeSeconds(), issuedAt);
        Assert.Equal(issuedAt, claims.GetProperty("auth_time").GetInt64());
        Assert.Equal(3600, claims.GetProperty("exp").GetInt64() - issuedAt);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-26")]
    public async Task A_user_of_one_company_is_put_into_it(Engine engine)
    {
        var server = await servers[engine];
        var person = await server.AddPerson();
        using var client = server.Client();

        var login = await client.Login(person.Email);

        Wants.Members(login.Json, [.. SessionMembers, "tenant: object"]);
        var tenant = login.Json.GetProperty("tenant");
        Wants.Members(tenant, "id: text", "name: text", "domain: null");
        Assert.Equal(person.Tenant!.TenantId.ToString(), tenant.GetProperty("id").GetString());
        Assert.Equal("null", login.Json.GetProperty("user").GetProperty("avatar").GetRawText());
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-26")]
    public async Task A_user_of_several_companies_must_choose_and_one_of_none_has_none(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();

        var jane = await client.Login(ApiClient.Jane);
        var nobody = await server.SignInSomebody(tenants: 0);

        Wants.Members(jane.Json, [.. SessionMembers, "tenant: null", "tenantSelectionRequired: flag"]);
        Assert.True(jane.Json.GetProperty("tenantSelectionRequired").GetBoolean());
        Wants.Members(nobody.Json, [.. SessionMembers, "tenant: null"]);
        Assert.Equal("null", Jwt.Claims(jane["accessToken"]).GetProperty("tid").GetRawText());
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-27")]
    public async Task A_wrong_password_an_unknown_address_and_a_blocked_user_get_one_answer(Engine engine)
    {
        var server = await servers[engine];
        var (person, blocked) = (await server.AddPerson(), await server.AddPerson());
        await server.Get<BlockUser>().Block(BlockTarget.User(blocked.Id), "test", Actor.System, Origin.CommandLine, TestContext.Current.CancellationToken);
        using var client = server.Client();

        Answer[] answers =
        [
            await client.Login(person.Email, "wrong", ("X-Request-ID", "one")),
            await client.Login("nobody@example.com", ApiClient.DemoPassword, ("X-Request-ID", "one")),
            await client.Login(blocked.Email, ApiClient.DemoPassword, ("X-Request-ID", "one")),
        ];

        foreach (var answer in answers)
        {
            Wants.Refusal(answer, "INVALID_CREDENTIALS");
            Assert.Equal(answers[0].Text, answer.Text);
            Assert.Equal(answers[0].Headers.Select(h => h.Key), answer.Headers.Select(h => h.Key));
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-22", "S1-27")]
    public async Task The_address_is_taken_in_any_case_and_the_password_exactly(Engine engine)
    {
        var server = await servers[engine];
        var person = await server.AddPerson();
        using var client = server.Client();

        var first = await client.Login(person.Email.ToUpperInvariant());
        var second = await client.Login($" {person.Email} ");

        Assert.Equal((200, 200), (first.Code, second.Code));
        Assert.NotEqual(first["refreshToken"], second["refreshToken"]);
        Assert.NotEqual(first["sessionId"], second["sessionId"]);
        foreach (var almost in new[] { "secureP@ssw0rd123", "SecureP@ssw0rd12", "SecureP@ssw0rd123 ", "SecureP@ssw0rd123\0" })
        {
            Wants.Refusal(await client.Login(person.Email, almost), "INVALID_CREDENTIALS");
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-27")]
    public async Task Missing_or_oversized_credentials_are_named_and_any_other_pair_is_only_wrong(Engine engine)
    {
        using var client = (await servers[engine]).Client();

        Wants.Invalid(await client.Post("/api/v1/auth/login", new { }), "email", "password");
        Wants.Invalid(await client.Post("/api/v1/auth/login", new { email = "", password = "" }), "email", "password");
        Wants.Invalid(await client.Login(new string('a', 255), "x"), "email");
        Wants.Invalid(await client.Login("a@example.com", new string('x', 1025)), "password");
        Wants.Invalid(await client.Login("a@example.com", new string('ä', 513)), "password");
        Wants.Refusal(await client.Login(new string('a', 254), new string('x', 1024)), "INVALID_CREDENTIALS");
        Wants.Refusal(await client.Login("not an address", "x"), "INVALID_CREDENTIALS");
        Wants.Refusal(await client.Login("a@example.com\u0001\r\n", "x"), "INVALID_CREDENTIALS");
    }
}
