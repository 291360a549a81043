using System.Text.Json;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests.Surfaces.Internal;

public sealed class InternalAuditTests(UnthrottledServers servers)
{
    private const string Audit = "/api/v1/internal/audit";

    [Theory]
    [BothEngines]
    public async Task The_trail_tells_who_did_what_to_which_session_in_which_request(Engine engine)
    {
        var server = await servers[engine];
        using var inside = server.InternalClient();
        var login = await server.SignInSomebody();
        var user = login.Json.GetProperty("user").GetProperty("id").GetString();
        await inside.Send(
            HttpMethod.Post, $"/api/v1/internal/sessions/{login["sessionId"]}/revoke", InternalSessionsTests.Mutation("stolen"),
            headers: ("X-Request-ID", "req_audit_1"));

        var page = await inside.Get($"{Audit}?user_id={user}&action=session.revoked");

        Wants.Members(page.Json, "events: list", "next_cursor: null");
        var e = Assert.Single(page.Json.GetProperty("events").EnumerateArray());
        Wants.Members(
            e,
            "id: text", "at: text", "action: text", "outcome: text", "user_id: text", "session_id: text", "tenant_id: text",
            "actor: object", "request_id: text", "ip: text", "address_hash: text", "details: text");
        Assert.Equal((login["sessionId"], "req_audit_1", "stolen"), (Text(e, "session_id"), Text(e, "request_id"), Text(e, "details")));
        Assert.Equal(("service", "helpdesk"), (Text(e.GetProperty("actor"), "type"), Text(e.GetProperty("actor"), "id")));
    }

    [Theory]
    [BothEngines]
    public async Task The_cursor_leads_through_all_events_once_newest_first(Engine engine)
    {
        await using var server = await GatehouseServer.Start(engine, ("Gatehouse:RateLimits:Enabled", "false"));
        using var client = server.Client();
        using var inside = server.InternalClient();
        var person = await server.AddPerson();
        var logins = new List<string>();
        for (var i = 0; i < 7; i++)
        {
            server.Time.Advance(TimeSpan.FromMilliseconds(1));
            logins.Add((await client.Login(person.Email))["sessionId"]);
        }

        var seen = new List<string>();
        var pages = 0;
        for (var cursor = ""; ; pages++)
        {
            var page = await inside.Get($"{Audit}?user_id={person.Id}&action=session.opened&limit=3{cursor}");
            seen.AddRange(page.Json.GetProperty("events").EnumerateArray().Select(e => Text(e, "session_id")));
            if (page.Json.GetProperty("next_cursor").ValueKind == JsonValueKind.Null)
            {
                break;
            }

            cursor = $"&cursor={page["next_cursor"]}";
        }

        Assert.Equal(Enumerable.Reverse(logins), seen);
        Assert.Equal(2, pages);
        var ofOne = await inside.Get($"{Audit}?session_id={logins[2]}");
        Assert.Equal(logins[2], Text(Assert.Single(ofOne.Json.GetProperty("events").EnumerateArray()), "session_id"));
        Assert.NotEmpty((await inside.Get(Audit)).Json.GetProperty("events").EnumerateArray());
    }

    [Theory]
    [BothEngines]
    public async Task A_bad_filter_is_named(Engine engine)
    {
        var server = await servers[engine];
        using var inside = server.InternalClient();
        foreach (var (query, field) in new[]
        {
            ("user_id=x", "user_id"), ("session_id=", "session_id"), ("cursor=1", "cursor"), ("limit=0", "limit"), ("limit=1001", "limit"),
            ("limit=-1", "limit"), ("limit=1&limit=2", "limit"), ("since=now", "since"), ($"action={new string('x', 65)}", "action"),
            ("action=%00", "action"),
        })
        {
            var answer = await inside.Get($"{Audit}?{query}");
            Wants.Error(answer, 400, "invalid_request", "details: list");
            Assert.Contains($"\"{field}\"", answer.Text, StringComparison.Ordinal);
        }
    }

    private static string Text(JsonElement json, string member) => json.GetProperty(member).ToString();
}
