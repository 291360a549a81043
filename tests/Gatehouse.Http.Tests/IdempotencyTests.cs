using System.Text;
using Gatehouse.Storage;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests;

/// <summary>A write repeated with its <c>Idempotency-Key</c> has one effect and one answer.</summary>
public sealed class IdempotencyTests
{
    private const string Preferences = "/api/v1/users/me/preferences";

    private static readonly (string Name, string? Value)[] NoThrottles = [("Gatehouse:RateLimits:Enabled", "false")];

    // Each change of preferences publishes the user's sessions once, so the feed counts how often it happened.
    private static readonly Sql CountPublished = new("SELECT count(*) FROM session_feed WHERE feed_session_id = @session");

    [Theory]
    [BothEngines]
    [Requirement("S0-34")]
    public async Task A_write_repeated_twenty_times_in_parallel_happens_once(Engine engine)
    {
        await using var server = await GatehouseServer.Start(engine, NoThrottles);
        using var client = server.Client();
        var login = await client.Login();

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Change(client, login, "key-1", "24h")));

        Assert.All(answers, answer => Assert.True(answer.Code is 200 or 409, answer.Text));
        Assert.Contains(answers, answer => answer.Code == 200 && answer.Header("Idempotency-Replayed") is null);
        Assert.Single(answers.Where(answer => answer.Code == 200).Select(answer => answer.Text).Distinct(StringComparer.Ordinal));
        Assert.All(answers.Where(answer => answer.Code == 409), answer => Assert.Equal("IDEMPOTENCY_IN_PROGRESS", answer.ErrorCode));
        Assert.Equal(1, await Changes(server, login));

        var later = await Change(client, login, "key-1", "24h");
        Assert.Equal((200, "true"), (later.Code, later.Header("Idempotency-Replayed")));
        Assert.Equal(1, await Changes(server, login));
    }

    [Fact]
    public async Task Twins_on_two_processes_happen_once()
    {
        await using var server = await GatehouseServer.Start(Engine.Postgres, NoThrottles);
        await using var other = await server.StartAnother([.. NoThrottles, ("Gatehouse:Issuer", server.Issuer)]);
        using var client = server.Client();
        using var otherClient = other.Client();
        var login = await client.Login();

        for (var round = 0; round < 10; round++)
        {
            var before = await Changes(server, login);
            var key = $"round-{round}";
            var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(i =>
                Change(i % 2 == 0 ? client : otherClient, login, key, round % 2 == 0 ? "24h" : "12h")));
            Assert.All(answers, answer => Assert.True(answer.Code is 200 or 409, answer.Text));
            Assert.Equal(before + 1, await Changes(server, login));
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S0-34")]
    public async Task A_key_used_with_another_body_is_422_and_changes_nothing(Engine engine)
    {
        await using var server = await GatehouseServer.Start(engine, NoThrottles);
        using var client = server.Client();
        var login = await client.Login();
        await Change(client, login, "key", "24h");

        var other = await Change(client, login, "key", "12h");

        Assert.Equal((422, "IDEMPOTENCY_KEY_REUSED"), (other.Code, other.ErrorCode));
        Assert.Equal("24h", (await client.Get(Preferences, login["accessToken"]))["timeFormat"]);
    }

    [Theory]
    [BothEngines]
    public async Task A_key_means_nothing_to_another_user_or_path_and_is_forgotten_after_a_day(Engine engine)
    {
        await using var server = await GatehouseServer.Start(engine, NoThrottles);
        using var client = server.Client();
        var john = await client.Login();
        var jane = await client.Login(ApiClient.Jane);
        await Change(client, john, "key", "24h");

        Assert.Null((await Change(client, jane, "key", "24h")).Header("Idempotency-Replayed"));
        var elsewhere = await client.Post(
            "/api/v1/auth/logout-all", new { exceptCurrent = true }, john["accessToken"], ("Idempotency-Key", "key"));
        Assert.Null(elsewhere.Header("Idempotency-Replayed"));

        server.Time.Advance(TimeSpan.FromHours(24) + TimeSpan.FromSeconds(1));
        var again = await Change(client, await client.Refresh(john["refreshToken"]), "key", "24h");
        Assert.Equal((200, null), (again.Code, again.Header("Idempotency-Replayed")));
    }

    [Theory]
    [BothEngines]
    public async Task The_alias_works_and_a_repeated_sign_out_everywhere_else_tells_the_same_count(Engine engine)
    {
        await using var server = await GatehouseServer.Start(engine, NoThrottles);
        using var client = server.Client();
        await client.Login();
        await client.Login();
        var login = await client.Login();

        var answers = new List<Answer>();
        for (var i = 0; i < 3; i++)
        {
            answers.Add(await client.Post(
                "/api/v1/auth/logout-all", new { exceptCurrent = true }, login["accessToken"], ("x-idempotency-key", "once")));
        }

        Assert.All(answers, answer => Assert.Equal("2", answer["revokedSessions"]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("with blank")]
    [InlineData("\t")]
    [InlineData(null)]
    public async Task A_key_that_cannot_be_used_is_400_naming_the_header(string? key)
    {
        await using var server = await GatehouseServer.Start(Engine.Sqlite, NoThrottles);
        using var client = server.Client();
        var login = await client.Login();

        var answer = await Change(client, login, key ?? new string('k', 256), "24h");

        Assert.Equal((400, "VALIDATION_FAILED"), (answer.Code, answer.ErrorCode));
        Assert.Equal("Idempotency-Key", answer.Json.GetProperty("error").GetProperty("details")[0].GetProperty("field").GetString());
    }

    [Theory]
    [BothEngines]
    public async Task The_table_holds_no_key_answer_or_token_that_can_be_read(Engine engine)
    {
        await using var server = await GatehouseServer.Start(engine, NoThrottles);
        using var client = server.Client();
        var login = await client.Login();
        await Change(client, login, "a-key-that-nobody-guesses", "24h");

        await using var database = server.Database.Open();
        var rows = await database.Query(
            new Sql("SELECT once_id, once_body_hash, once_reply FROM idempotency"),
            row => row.Text(0) + row.Text(1) + Encoding.Latin1.GetString(row.Bytes(2)),
            TestContext.Current.CancellationToken);

        var stored = Assert.Single(rows);
        Assert.All(
            ["a-key-that", "24h", "timeFormat", "America", login["accessToken"], login["refreshToken"], ApiClient.John],
            secret => Assert.DoesNotContain(secret, stored, StringComparison.Ordinal));
    }

    [Theory]
    [BothEngines]
    public async Task A_request_that_was_refused_for_its_form_leaves_its_key_free(Engine engine)
    {
        await using var server = await GatehouseServer.Start(engine, NoThrottles);
        using var client = server.Client();
        var login = await client.Login();

        var refused = await Change(client, login, "refused", "25h");
        Assert.Equal(400, refused.Code);

        Assert.Equal(200, (await Change(client, login, "refused", "24h")).Code);
    }

    private static Task<Answer> Change(ApiClient client, Answer login, string key, string timeFormat) =>
        client.Send(HttpMethod.Patch, Preferences, new { timeFormat }, login["accessToken"], ("Idempotency-Key", key));

    private static async Task<long> Changes(GatehouseServer server, Answer login)
    {
        await using var database = server.Database.Open();
        var published = await database.QueryOne(
            CountPublished, row => row.Long(0), TestContext.Current.CancellationToken, ("session", Guid.Parse(login["sessionId"])));

        // The first one is the session's own birth.
        return published - 1;
    }
}
