using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Gatehouse.Bench.Processes;
using Gatehouse.Bench.Report;
using Gatehouse.Storage;

namespace Gatehouse.Bench.Scenarios;

/// <summary>
/// How soon a revoke counts. (1) Sessions are revoked at one server, two hundred a second, and asked about at another until that one
/// refuses them; what is reported is the time from the acknowledged, published revoke to the refusal. (2) One user's ten thousand
/// sessions are revoked by one request.
/// </summary>
internal static class Revocation
{
    private const int Revokes = 2_000;
    private const int Many = 10_000;
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(2);

    private static readonly Sql FindUser = new("SELECT user_id FROM users WHERE email = @email");
    private static readonly Sql CountFeed = new("SELECT count(*) FROM session_feed WHERE feed_snapshot LIKE '%bench_all%'");

    /// <summary>From published to refused by another process.</summary>
    public static async Task<IEnumerable<Fact>> Spread(string engine, ServerUnderTest here, ServerUnderTest there)
    {
        using var first = Client(here.Port);
        using var other = Client(there.Port);
        using var inside = Internal(here);
        var sessions = await SignIn(first, other);
        var tasks = new List<Task<double>>();
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < sessions.Count; i++)
        {
            var due = Step * i;
            if (Stopwatch.GetElapsedTime(began) is var now && now < due)
                await Task.Delay(due - now);
            tasks.Add(Follow(sessions[i], inside, other));
        }

        var took = Stopwatch.GetElapsedTime(began).TotalSeconds;
        var delays = (await Task.WhenAll(tasks)).Order().ToList();
        return
        [
            new Fact($"revokes a second, {engine}", Math.Round(Revokes / took), ""),
            new Fact($"  published to refused by another process, half of them, {engine}", At(0.50), " ms"),
            new Fact($"  nine in ten, {engine}", At(0.90), " ms"),
            new Fact(Names.Spread(engine), At(0.99), " ms"),
            new Fact($"  the slowest of {Revokes}, {engine}", At(1), " ms"),
        ];

        double At(double part) => Math.Round(delays[Math.Min(delays.Count - 1, (int)(delays.Count * part))], 1);
    }

    /// <summary>One user's ten thousand sessions, until all are revoked, published and acknowledged.</summary>
    public static async Task<Fact> All(string engine, Deployment deployment, ServerUnderTest server)
    {
        await using var database = Database.Open(deployment.Postgres, deployment.File);
        var user = await database.QueryOne(FindUser, row => row.Id(0), default, ("email", Deployment.Reader(0)));
        var times = new List<double>();
        for (var round = 1; round <= 3; round++)
        {
            await deployment.AddSessions(database, Many, user);
            using var inside = Internal(server);
            var began = Stopwatch.GetTimestamp();
            using var answer = await inside.PostAsJsonAsync(
                $"/api/v1/internal/users/{user}/sessions/revoke-all",
                new { reason_code = $"bench_all_{round}", actor = new { type = "service", id = "bench" } });
            var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
            times.Add(Stopwatch.GetElapsedTime(began).TotalSeconds);
            var affected = answer.IsSuccessStatusCode ? body.GetProperty("affected_sessions").GetArrayLength() : 0;
            var published = await database.QueryOne(CountFeed, row => row.Long(0), default);
            if (affected < Many || published < (long)Many * round)
                throw new InvalidOperationException($"{answer.StatusCode}: {affected} sessions affected, {published} published.");
        }

        return new Fact(Names.RevokeAll(engine), Math.Round(times.Order().ElementAt(times.Count / 2), 2), " s");
    }

    /// <summary>Everybody signs in several times here, and each session is known there.</summary>
    private static async Task<List<(string Id, string Token)>> SignIn(HttpClient here, HttpClient there)
    {
        var sessions = new List<(string Id, string Token)>();
        for (var i = 0; i < Revokes; i++)
        {
            var number = i % Deployment.People;
            var email = i / Deployment.People % 2 == 0 ? Deployment.Reader(number) : Deployment.Arriving(number);
            using var answer = await here.PostAsJsonAsync("/api/v1/auth/login", new { email, password = Deployment.Password });
            var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
            sessions.Add((body.GetProperty("sessionId").GetString()!, body.GetProperty("accessToken").GetString()!));
            if (await Me(there, sessions[^1].Token) != HttpStatusCode.OK)
                throw new InvalidOperationException("The other server does not know the session.");
        }

        return sessions;
    }

    private static async Task<double> Follow((string Id, string Token) session, HttpClient inside, HttpClient other)
    {
        using var answer = await inside.PostAsJsonAsync(
            $"/api/v1/internal/sessions/{session.Id}/revoke",
            new { reason_code = "bench", actor = new { type = "service", id = "bench" } });
        answer.EnsureSuccessStatusCode();
        var published = Stopwatch.GetTimestamp();
        while (await Me(other, session.Token) != HttpStatusCode.Unauthorized)
            await Task.Delay(Look);
        return Stopwatch.GetElapsedTime(published).TotalMilliseconds;
    }

    private static async Task<HttpStatusCode> Me(HttpClient client, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/auth/me");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var answer = await client.SendAsync(request);
        return answer.StatusCode;
    }

    private static HttpClient Client(int port)
    {
        var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        client.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");
        return client;
    }

    private static HttpClient Internal(ServerUnderTest server)
    {
        var client = Client(server.InternalPort);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ServerUnderTest.ServiceToken);
        return client;
    }
}
