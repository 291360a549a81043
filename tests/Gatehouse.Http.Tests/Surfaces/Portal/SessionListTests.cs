using System.Text.Json;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests.Surfaces.Portal;

public sealed class SessionListTests(UnthrottledServers servers)
{
    private const string Sessions = "/api/v1/auth/sessions";

    [Theory]
    [BothEngines]
    [Requirement("S1-8", "S1-9", "S1-10")]
    public async Task A_user_sees_their_own_sessions_newest_first_with_this_one_marked(Engine engine)
    {
        await using var server = await GatehouseServer.Start(engine);
        using var client = server.Client();
        var person = await server.AddPerson();
        await server.SignInSomebody();
        var first = await client.Login(person.Email, headers: ("User-Agent", "OpenPortal-Web/1.0"));
        server.Time.Advance(TimeSpan.FromSeconds(1));
        var second = await client.Login(person.Email, headers: ("User-Agent", "curl/8.5"));

        var list = await client.Get(Sessions, first["accessToken"]);

        Assert.Equal((200, "no-store"), (list.Code, list.Header("Cache-Control")));
        Wants.Members(list.Json, "sessions: list");
        var sessions = list.Json.GetProperty("sessions").EnumerateArray().ToList();
        Assert.Equal([second["sessionId"], first["sessionId"]], sessions.Select(s => s.GetProperty("id").GetString()));
        Assert.Equal([false, true], sessions.Select(s => s.GetProperty("current").GetBoolean()));
        Assert.Equal(["curl/8.5", "OpenPortal-Web/1.0"], sessions.Select(s => s.GetProperty("userAgent").GetString()));
        IsOf(sessions[0], "2026-01-18T10:00:01Z");
        IsOf(sessions[1], "2026-01-18T10:00:00Z");
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-10")]
    public async Task A_refresh_moves_the_last_access_and_an_expired_session_is_gone(Engine engine)
    {
        await using var server = await GatehouseServer.Start(engine);
        using var client = server.Client();
        var forgotten = await client.Login();
        server.Time.Jump(TimeSpan.FromDays(13));
        var login = await client.Login();
        server.Time.Advance(TimeSpan.FromMinutes(5));
        await client.Get("/api/v1/auth/me", login["accessToken"]);
        Assert.Equal(["2026-01-31T10:00:00Z", "2026-01-18T10:00:00Z"], await LastAccess(client, login["accessToken"]));

        var refresh = await client.Refresh(login["refreshToken"]);

        Assert.Equal(["2026-01-31T10:05:00Z", "2026-01-18T10:00:00Z"], await LastAccess(client, login["accessToken"]));
        server.Time.Jump(TimeSpan.FromDays(1));
        refresh = await client.Refresh(refresh["refreshToken"]);
        Assert.Equal(["2026-02-01T10:05:00Z"], await LastAccess(client, refresh["accessToken"]));
        Assert.NotEqual(forgotten["sessionId"], refresh["sessionId"]);
    }

    [Theory]
    [BothEngines]
    public async Task Ending_one_session_ends_it_at_once_and_leaves_its_siblings(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var person = await server.AddPerson();
        var (mine, lost, sibling) = (await client.Login(person.Email), await client.Login(person.Email), await client.Login(person.Email));
        for (var i = 0; i < 2; i++)
        {
            var ended = await client.Send(HttpMethod.Delete, $"{Sessions}/{lost["sessionId"]}", bearer: mine["accessToken"]);
            Assert.Equal((200, """{"success":true}"""), (ended.Code, ended.Text));
        }

        Wants.Challenge(await client.Get("/api/v1/auth/me", lost["accessToken"]), "SESSION_REVOKED", server.Issuer);
        Wants.Refusal(await client.Refresh(lost["refreshToken"]), "SESSION_REVOKED");
        Assert.Equal(200, (await client.Refresh(mine["refreshToken"])).Code);
        Assert.Equal(200, (await client.Refresh(sibling["refreshToken"])).Code);
        var left = (await client.Get(Sessions, sibling["accessToken"])).Json.GetProperty("sessions").EnumerateArray();
        Assert.Equal(
            new HashSet<string?> { sibling["sessionId"], mine["sessionId"] }, left.Select(s => s.GetProperty("id").GetString()).ToHashSet());
    }

    [Theory]
    [BothEngines]
    public async Task Somebody_elses_an_unknown_and_a_malformed_id_get_one_404(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var (mine, theirs) = (await server.SignInSomebody(), await server.SignInSomebody());
        var id = mine["sessionId"];
        var answers = new List<Answer>();
        foreach (var other in new[]
        {
            theirs["sessionId"], Guid.NewGuid().ToString(), Guid.Empty.ToString(), "x", id.Replace("-", "", StringComparison.Ordinal),
            $"%7B{id}%7D", id + "x", "%F0%9F%98%80", "'--",
        })
        {
            answers.Add(await client.Send(HttpMethod.Delete, $"{Sessions}/{other}", null, mine["accessToken"], ("X-Request-ID", "one")));
        }

        Assert.All(answers, a => Wants.Error(a, 404, "NOT_FOUND"));
        Assert.Single(answers.Select(a => a.Text).Distinct());
        Assert.Equal(200, (await client.Get("/api/v1/auth/me", theirs["accessToken"])).Code);
        Assert.Equal(200, (await client.Get("/api/v1/auth/me", mine["accessToken"])).Code);
    }

    [Theory]
    [BothEngines]
    public async Task Sessions_are_shown_and_ended_only_with_a_live_token(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var login = await server.SignInSomebody();

        Wants.Challenge(await client.Get(Sessions), "UNAUTHENTICATED", server.Issuer);
        Wants.Challenge(await client.Send(HttpMethod.Delete, $"{Sessions}/{login["sessionId"]}"), "UNAUTHENTICATED", server.Issuer);
        Assert.Equal(200, (await client.Send(HttpMethod.Delete, $"{Sessions}/{login["sessionId"]}", bearer: login["accessToken"])).Code);
        Wants.Challenge(await client.Get(Sessions, login["accessToken"]), "SESSION_REVOKED", server.Issuer);
    }

    [Theory]
    [BothEngines]
    public async Task A_user_agent_of_any_length_and_script_is_kept_to_256_characters(Engine engine)
    {
        var server = await servers[engine];
        var person = await server.AddPerson();
        using var client = new RawClient(server.Url);

        // The cut falls into the middle of a character that takes two.
        var agent = new string('a', 255) + "😀😀";
        var body = JsonSerializer.Serialize(new { email = person.Email, password = ApiClient.DemoPassword });
        var answer = await client.Post("/api/v1/auth/login", body, $"User-Agent: {agent}");

        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
    }

    private static async Task<IEnumerable<string?>> LastAccess(ApiClient client, string token) =>
        (await client.Get(Sessions, token)).Json.GetProperty("sessions").EnumerateArray()
            .Select(s => s.GetProperty("lastAccessedAt").GetString()).ToList();

    private static void IsOf(JsonElement session, string createdAt)
    {
        Wants.Members(
            session,
            "id: text", "current: flag", "method: text", "deviceName: null", "ip: text", "userAgent: text", "createdAt: text",
            "lastAccessedAt: text", "clientName: null");
        Assert.Equal("password", session.GetProperty("method").GetString());
        Assert.Equal("127.0.0.1", session.GetProperty("ip").GetString());
        Assert.Equal(createdAt, session.GetProperty("createdAt").GetString());
        Assert.Equal(createdAt, session.GetProperty("lastAccessedAt").GetString());
    }
}
