using System.Diagnostics;
using System.Text.Json;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Server.Tests;

/// <summary><c>gatehouse migrate | user … | session …</c> as an operator runs it, beside a running server too.</summary>
public sealed class CommandLineTests
{
    private const string Address = "new.person@example.com";
    private const string Password = "a long new password";

    // What an operator may count on; a busy test machine is not part of that promise, so it is measured after the command's end.
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    [Theory]
    [BothEngines]
    public async Task Migrate_applies_the_schema_once(Engine engine)
    {
        var name = engine == Engine.Postgres ? "PostgreSQL" : "SQLite";
        await using var database = await TestDatabase.Empty(engine);

        Assert.StartsWith($"Applied to {name}: 0001_foundation, ", await Does(database, "migrate"), StringComparison.Ordinal);
        Assert.Equal($"The {name} schema is up to date.", await Does(database, "migrate"));
        var json = await Json(database, "migrate");
        Assert.Equal((name, ""), (json.GetProperty("engine").GetString(), json.GetProperty("applied").GetString()));
    }

    [Theory]
    [BothEngines]
    public async Task Users_are_added_listed_and_erased(Engine engine)
    {
        await using var database = await TestDatabase.Empty(engine);
        var added = await GatehouseCommand.RunWith(
            Password + "\n", database, "user", "add", Address, "--first-name", "New", "--last-name", "Person", "--operator", "--json");
        Assert.Equal((0, ""), (added.ExitCode, added.Error));
        var id = JsonDocument.Parse(added.Output).RootElement.GetProperty("id").GetString()!;

        var user = Assert.Single((await Json(database, "user", "list")).EnumerateArray());
        Assert.Equal(
            [("id", id), ("email", Address), ("name", "New Person"), ("status", "active"), ("role", "operator")],
            user.EnumerateObject().Select(member => (member.Name, member.Value.GetString()!)));
        Assert.Contains(Address, await Does(database, "user", "list"), StringComparison.Ordinal);
        Assert.Equal(0, (await Json(database, "user", "list", "--skip", "1")).GetArrayLength());

        var again = await GatehouseCommand.RunWith(Password + "\n", database, "user", "add", Address.ToUpperInvariant());
        Assert.Equal(1, again.ExitCode);
        Assert.EndsWith("has an account already.", again.Error, StringComparison.Ordinal);

        Assert.Equal($"Erased {id}; sessions ended: 0.", await Does(database, "user", "delete", Address));
        Assert.DoesNotContain(Address, await Does(database, "user", "list"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("there is no such user.", "user", "block", "nobody@example.com")]
    [InlineData("there is no such user.", "user", "delete", "nobody@example.com")]
    [InlineData("there is neither such a user nor a block of such an address.", "user", "unblock", "nobody@example.com")]
    [InlineData("there is no such user.", "session", "list", "00000000-0000-0000-0000-000000000001")]
    [InlineData("there is no such user.", "session", "revoke", "--user", "nobody@example.com")]
    [InlineData("there is no such session.", "session", "revoke", "00000000-0000-0000-0000-000000000001")]
    [InlineData("name a session id, or --user.", "session", "revoke")]
    [InlineData("'nonsense' is not an e-mail address.", "user", "add", "nonsense")]
    [InlineData("no password on standard input.", "user", "add", Address)]
    public async Task A_command_that_cannot_be_done_says_why_and_exits_with_1(string expected, params string[] arguments)
    {
        await using var database = await TestDatabase.Create(Engine.Sqlite);

        var refused = await GatehouseCommand.Run(database, arguments);

        Assert.Equal((1, "", $"gatehouse: {expected}"), (refused.ExitCode, refused.Output, refused.Error));
    }

    [Fact]
    public async Task An_unknown_command_exits_with_1_and_shows_the_commands()
    {
        await using var database = await TestDatabase.Empty(Engine.Sqlite);

        var refused = await GatehouseCommand.Run(database, "nonsense");

        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("serve", refused.Output + refused.Error, StringComparison.Ordinal);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-112")]
    public async Task A_revoke_from_the_command_line_is_seen_by_a_running_server_within_a_second(Engine engine)
    {
        await using var database = await TestDatabase.Empty(engine);
        await using var server = await ServerProcess.Start(database);
        using var client = server.Client();
        var first = await client.Login();
        var second = await client.Login();
        await Opens(client, first, second);

        var rows = (await Json(database, "session", "list", ApiClient.John)).EnumerateArray().ToList();
        Assert.Equal([second["sessionId"], first["sessionId"]], rows.Select(row => row.GetProperty("id").GetString()!));
        Assert.Equal(
            ["id", "method", "ip", "created", "last seen", "agent"], rows[0].EnumerateObject().Select(member => member.Name));

        Assert.Equal("Sessions ended: 1.", await Does(database, "session", "revoke", first["sessionId"]));
        await IsSoonRefused(client, first);
        await Opens(client, second);
        Assert.Equal((401, "SESSION_REVOKED"), Refused(await client.Refresh(first["refreshToken"])));

        Assert.Equal("1", (await Json(database, "session", "revoke", "--user", ApiClient.John)).GetProperty("sessions").GetString());
        await IsSoonRefused(client, second);
        Assert.Equal(0, (await Json(database, "session", "list", ApiClient.John)).GetArrayLength());
    }

    [Theory]
    [BothEngines]
    public async Task A_block_from_the_command_line_ends_the_sessions_and_answers_a_login_as_a_wrong_password(Engine engine)
    {
        await using var database = await TestDatabase.Empty(engine);
        await using var server = await ServerProcess.Start(database);
        using var client = server.Client();
        var john = await client.Login();
        var jane = await client.Login(ApiClient.Jane);
        await Opens(client, john, jane);

        var said = await Does(database, "user", "block", ApiClient.John, "--reason", "left_the_company");

        Assert.EndsWith("; sessions ended: 1.", said, StringComparison.Ordinal);
        await IsSoonRefused(client, john);
        await Opens(client, jane);
        var blocked = await client.Login();
        var wrong = await client.Login(ApiClient.Jane, "not the password");
        Assert.Equal((401, "INVALID_CREDENTIALS"), Refused(blocked));
        Assert.Equal(Message(wrong), Message(blocked));

        Assert.Equal($"Unblocked {ApiClient.John}.", await Does(database, "user", "unblock", ApiClient.John));
        Assert.Equal(200, (await client.Login()).Code);
    }

    private static async Task Opens(ApiClient client, params Answer[] logins)
    {
        foreach (var login in logins)
        {
            Assert.Equal(200, (await client.Get("/api/v1/auth/me", login["accessToken"])).Code);
        }
    }

    // Asks without a pause, so that the answer is the server's state and not the luck of an interval.
    private static async Task IsSoonRefused(ApiClient client, Answer login)
    {
        var watch = Stopwatch.StartNew();
        Answer answer;
        do
        {
            answer = await client.Get("/api/v1/auth/me", login["accessToken"]);
        }
        while (answer.Code == 200 && watch.Elapsed < Soon);

        Assert.Equal((401, "SESSION_REVOKED"), Refused(answer));
    }

    private static async Task<string> Does(TestDatabase database, params string[] arguments)
    {
        var done = await GatehouseCommand.Run(database, arguments);
        Assert.Equal((0, ""), (done.ExitCode, done.Error));
        return done.Output;
    }

    private static async Task<JsonElement> Json(TestDatabase database, params string[] arguments) =>
        JsonDocument.Parse(await Does(database, [.. arguments, "--json"])).RootElement;

    private static (int, string?) Refused(Answer answer) => (answer.Code, answer.ErrorCode);

    private static string? Message(Answer answer) => answer.Json.GetProperty("error").GetProperty("message").GetString();
}
