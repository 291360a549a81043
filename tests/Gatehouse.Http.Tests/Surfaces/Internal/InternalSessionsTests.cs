using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests.Surfaces.Internal;

public sealed class InternalSessionsTests(UnthrottledServers servers)
{
    private const string Root = "/api/v1/internal";

    [Theory]
    [BothEngines]
    public async Task A_session_reads_as_its_snapshot(Engine engine)
    {
        var server = await servers[engine];
        using var inside = server.InternalClient();
        var login = await server.SignInSomebody();

        var session = await inside.Get($"{Root}/sessions/{login["sessionId"]}");

        Assert.Equal(200, session.Code);
        Wants.Members(
            session.Json,
            "session_id: text", "kind: text", "client_id: text", "user_id: text", "tenant_id: text", "status: text", "version: number",
            "expires_at: text", "roles: text", "permission_version: number", "scope: text", "amr: text", "auth_time: text",
            "dpop_jkt: text", "revoked_at: null", "reason_code: null", "actor: null", "created_at: text", "last_accessed_at: text");
        Assert.Equal(
            (login["sessionId"], "browser", "active", "pwd"), (session["session_id"], session["kind"], session["status"], session["amr"]));
    }

    [Theory]
    [BothEngines]
    public async Task A_user_s_sessions_are_listed_newest_first_the_ended_ones_too(Engine engine)
    {
        await using var server = await GatehouseServer.Start(engine, ("Gatehouse:RateLimits:Enabled", "false"));
        using var client = server.Client();
        using var inside = server.InternalClient();
        var person = await server.AddPerson();
        var sessions = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            server.Time.Advance(TimeSpan.FromMilliseconds(1));
            sessions.Add((await client.Login(person.Email))["sessionId"]);
        }

        await inside.Post($"{Root}/sessions/{sessions[1]}/revoke", Mutation("test"));
        var list = await inside.Get($"{Root}/users/{person.Id}/sessions");

        Wants.Members(list.Json, "sessions: list");
        var read = list.Json.GetProperty("sessions").EnumerateArray().ToList();
        Assert.Equal(Enumerable.Reverse(sessions), read.Select(s => s.GetProperty("session_id").GetString()));
        Assert.Equal(["active", "revoked", "active"], read.Select(s => s.GetProperty("status").GetString()));
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-45", "S4-50", "S4-51", "S4-53")]
    public async Task A_revoke_ends_the_session_at_once_says_why_and_repeats(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        using var inside = server.InternalClient();
        var login = await server.SignInSomebody();
        var path = $"{Root}/sessions/{login["sessionId"]}";

        var revoked = await inside.Post($"{path}/revoke", Mutation("stolen_laptop"));

        Affected(revoked, login["sessionId"]);
        Wants.Challenge(await client.Get("/api/v1/auth/me", login["accessToken"]), "SESSION_REVOKED", server.Issuer);
        var session = await inside.Get(path);
        Assert.Equal(("revoked", "stolen_laptop", "service:helpdesk"), (session["status"], session["reason_code"], session["actor"]));
        Assert.Equal(revoked.Text, (await inside.Post($"{path}/revoke", Mutation("again"))).Text);
        Assert.Equal("stolen_laptop", (await inside.Get(path))["reason_code"]);
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-50", "S4-51", "S4-52", "S4-53", "S4-59")]
    public async Task Revoking_all_ends_every_session_of_the_user_and_nobody_else_s(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        using var inside = server.InternalClient();
        var (person, other) = (await server.AddPerson(), await server.SignInSomebody());
        var (first, second) = (await client.Login(person.Email), await client.Login(person.Email));

        var revoked = await inside.Post($"{Root}/users/{person.Id}/sessions/revoke-all", Mutation("account_compromised"));

        Affected(revoked, first["sessionId"], second["sessionId"]);
        Affected(
            await inside.Post($"{Root}/users/{person.Id}/sessions/revoke-all", Mutation("account_compromised")),
            first["sessionId"],
            second["sessionId"]);
        Assert.Equal(401, (await client.Get("/api/v1/auth/me", second["accessToken"])).Code);
        Assert.Equal(200, (await client.Get("/api/v1/auth/me", other["accessToken"])).Code);
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-35")]
    public async Task The_session_limit_changes_while_running_and_the_next_sign_in_looks_at_it(Engine engine)
    {
        await using var server = await GatehouseServer.Start(engine, ("Gatehouse:RateLimits:Enabled", "false"));
        using var client = server.Client();
        using var inside = server.InternalClient();
        var person = await server.AddPerson();
        var usual = await inside.Get($"{Root}/config/session-limit");
        Assert.Equal(("50", "evict"), (usual["limit"], usual["policy"]));
        await client.Login(person.Email);
        await client.Login(person.Email);

        var answer = await inside.Send(
            HttpMethod.Put, $"{Root}/config/session-limit", new { limit = 2, policy = "reject", reason_code = "abuse", actor = Actor });

        Affected(answer);
        var now = await inside.Get($"{Root}/config/session-limit");
        Assert.Equal(("2", "reject"), (now["limit"], now["policy"]));
        Wants.Error(await client.Login(person.Email), 409, "SESSION_LIMIT_REACHED");
        await inside.Send(HttpMethod.Put, $"{Root}/config/session-limit", new { limit = 1, reason_code = "abuse", actor = Actor });
        Assert.Equal(200, (await client.Login(person.Email)).Code);
        var live = (await inside.Get($"{Root}/users/{person.Id}/sessions")).Json.GetProperty("sessions").EnumerateArray()
            .Count(s => s.GetProperty("status").GetString() == "active");
        Assert.Equal(1, live);
    }

    [Theory]
    [BothEngines]
    public async Task Unknown_ids_are_not_found_and_bad_bodies_are_invalid_requests_that_name_the_field(Engine engine)
    {
        var server = await servers[engine];
        using var inside = server.InternalClient();
        var id = Guid.NewGuid();
        foreach (var path in new[] { $"sessions/{id}", "sessions/x", $"users/{id}/sessions", "users/x/sessions" })
        {
            Wants.Error(await inside.Get($"{Root}/{path}"), 404, "not_found");
        }

        Wants.Error(await inside.Post($"{Root}/sessions/{id}/revoke", Mutation("test")), 404, "not_found");
        Wants.Error(await inside.Post($"{Root}/users/{id}/sessions/revoke-all", Mutation("test")), 404, "not_found");
        Wants.Error(await inside.Get($"{Root}/nothing"), 404, "NOT_FOUND");
        foreach (var (body, field) in new (object Body, string Field)[]
        {
            (new { actor = Actor }, "reason_code"),
            (new { reason_code = "Why not", actor = Actor }, "reason_code"),
            (new { reason_code = "test" }, "actor"),
            (new { reason_code = "test", actor = "me" }, "actor"),
            (new { reason_code = "test", actor = new { type = "service" } }, "actor.id"),
            (new { reason_code = "test", actor = new { type = "system", id = "gatehouse" } }, "actor.type"),
            (new { reason_code = "test", actor = new { type = "service", id = "x", name = "y" } }, "actor.name"),
            (new { reason_code = "test", actor = Actor, more = true }, "more"),
        })
        {
            var answer = await inside.Post($"{Root}/sessions/{id}/revoke", body);
            Wants.Error(answer, 400, "invalid_request", "details: list");
            Assert.Contains($"\"{field}\"", answer.Text, StringComparison.Ordinal);
        }

        foreach (var limit in new object[] { 0, 100_001, 1.5, "5", -1 })
        {
            Wants.Error(
                await inside.Send(HttpMethod.Put, $"{Root}/config/session-limit", new { limit, reason_code = "test", actor = Actor }),
                400, "invalid_request", "details: list");
        }
    }

    internal static object Actor { get; } = new { type = "service", id = "helpdesk" };

    internal static object Mutation(string reason) => new { reason_code = reason, actor = Actor };

    /// <summary>An acknowledgement that names exactly these sessions, as revoked.</summary>
    internal static void Affected(Answer answer, params string[] sessions)
    {
        Assert.True(answer.Code == 200, answer.Text);
        Wants.Members(answer.Json, "acknowledged: flag", "affected_sessions: list");
        Assert.True(answer.Json.GetProperty("acknowledged").GetBoolean());
        var affected = answer.Json.GetProperty("affected_sessions").EnumerateArray().ToList();
        Assert.All(affected, session => Wants.Members(session, "session_id: text", "status: text", "version: number"));
        Assert.All(affected, session => Assert.Equal("revoked", session.GetProperty("status").GetString()));
        Assert.Equal(sessions.Order(), affected.Select(session => session.GetProperty("session_id").GetString()!).Order());
    }
}
