using Gatehouse.Sessions;
using Gatehouse.Storage;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Faults.Tests;

/// <summary>Killed over and over in the middle of its work, the server loses nothing that it has acknowledged.</summary>
public sealed class KillTests
{
    private const int Refreshers = 8;
    private const int SignOuts = 2;

    private static readonly Sql FindSession = new("SELECT session_status, generation FROM sessions WHERE session_id = @session");
    private static readonly Sql CountAlarms = new(
        "SELECT count(*) FROM audit_events WHERE audit_action IN ('session.refresh_token_reused', 'session.generation_ahead')");

    // Each change of preferences publishes the user's sessions once, so the feed counts how often it happened.
    private static readonly Sql CountPublished = new("SELECT count(*) FROM session_feed WHERE feed_session_id = @session");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    public Task Nobody_signs_in_again_and_nothing_acknowledged_is_lost(Engine engine) => Kills.Run(async kills =>
    {
        await using var database = await TestDatabase.Empty(engine);

        // Practically without grace it is the Idempotency-Key alone that tells a lost answer from a thief.
        await using var server = await CrashingServer.Start(database, ("Gatehouse__Sessions__RefreshGrace", "00:00:00.001"));
        var store = database.Open();
        var refreshers = new List<RefreshWorker>();
        for (var i = 0; i < Refreshers; i++)
        {
            refreshers.Add(await RefreshWorker.SignIn(server));
        }

        var signOuts = Enumerable.Range(0, SignOuts).Select(_ => new SignOutWorker(server)).ToList();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var work = Task.WhenAll(
            refreshers.Select(worker => Task.Run(() => OrStopAll(worker.Work), Ct))
                .Concat(signOuts.Select(worker => Task.Run(() => OrStopAll(worker.Work), Ct))));
        for (var kill = 0; kill < Kills.Count && !work.IsCompleted; kill++)
        {
            await kills.Strike(server, work, atLeast: 50, atMost: 400);
            await Task.WhenAll(signOuts.Select(worker => worker.LookAtNewlyEnded()));
        }

        await stop.CancelAsync();
        await work;

        await Task.WhenAll(signOuts.Select(worker => worker.LookAtAll()));
        foreach (var worker in refreshers)
        {
            Assert.Equal((SessionStatus.Active, worker.Refreshes), await Row(store, worker.SessionId));
            Assert.Equal(200, (await server.Send(client => client.Get("/api/v1/auth/me", worker.AccessToken))).Code);
            await worker.Refresh();
        }

        Assert.Equal(0, await store.QueryOne(CountAlarms, row => row.Long(0), Ct));
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{Kills.Count} kills: {refreshers.Sum(worker => worker.Refreshes)} refreshes, {signOuts.Sum(worker => worker.Ended)} sign-outs, "
            + $"{server.LostAnswers} lost answers.");
        Assert.True(refreshers.TrueForAll(worker => worker.Refreshes > 1) && server.LostAnswers > 0, "There was no load to speak of.");

        async Task OrStopAll(Func<CancellationToken, Task> run)
        {
            try
            {
                await run(stop.Token);
            }
            catch
            {
                await stop.CancelAsync();
                throw;
            }
        }
    });

    [Theory]
    [BothEngines]
    [Requirement("S0-34")]
    public Task A_write_repeated_twenty_times_in_parallel_with_a_kill_in_between_happens_once(Engine engine) => Kills.Run(async kills =>
    {
        await using var database = await TestDatabase.Empty(engine);
        await using var server = await CrashingServer.Start(database);
        var store = database.Open();
        for (var round = 0; round < Kills.Count; round++)
        {
            var login = await server.Send(client => client.Login());
            var (key, timeFormat) = ($"round-{round}", round % 2 == 0 ? "24h" : "12h");
            var twins = Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Change(server, login, key, timeFormat)));
            await kills.Strike(server, twins, atLeast: 0, atMost: 80);
            var answers = await twins;

            Assert.All(answers, answer => Assert.True(
                answer.Code == 200 || (answer.Code == 409 && answer.ErrorCode == "IDEMPOTENCY_IN_PROGRESS"), answer.Text));
            var later = await Change(server, login, key, timeFormat);
            Assert.Equal((200, timeFormat), (later.Code, later["timeFormat"]));
            Assert.All(answers.Where(answer => answer.Code == 200), answer => Assert.Equal(later.Text, answer.Text));

            // The first one is the session's own birth.
            var published = await store.QueryOne(
                CountPublished, row => row.Long(0), Ct, ("session", Guid.Parse(login["sessionId"])));
            Assert.Equal(2, published);
        }
    });

    private static Task<Answer> Change(CrashingServer server, Answer login, string key, string timeFormat) => server.Send(
        client => client.Send(
            HttpMethod.Patch,
            "/api/v1/users/me/preferences",
            new { timeFormat },
            login["accessToken"],
            ("Idempotency-Key", key)));

    private static Task<(string Status, long Generation)> Row(Database store, Guid session) =>
        store.QueryOne(FindSession, row => (row.Text(0), row.Long(1)), Ct, ("session", session));
}
