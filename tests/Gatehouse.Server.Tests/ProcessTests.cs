using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Server.Tests;

/// <summary>The server as the operating system sees it: start, stop, and start again.</summary>
public sealed class ProcessTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    public async Task It_says_when_it_is_ready_and_stops_with_exit_code_0(Engine engine)
    {
        await using var database = await TestDatabase.Empty(engine);
        await using var server = ServerProcess.Launch(database);

        Assert.Matches(
            $@"^Gatehouse is ready: {server.Issuer} \(internal listener 127\.0\.0\.1:{server.InternalPort}, service token dev_[0-9a-f]{{32}}\)$",
            await server.Ready());
        using var client = server.Client();
        Assert.Equal(200, (await client.Get("/health/ready")).Code);

        Assert.Equal(0, await server.Stop());
        Assert.Single(server.Printed.Split('\n'));
    }

    [Theory]
    [BothEngines]
    public async Task A_stop_answers_the_requests_in_flight_and_loses_nothing(Engine engine)
    {
        const int requests = 8;
        await using var database = await TestDatabase.Empty(engine);
        await using var server = await ServerProcess.Start(database, ("Gatehouse__RateLimits__Enabled", "false"));
        var inFlight = new List<SlowLogin>();
        for (var i = 0; i < requests; i++)
        {
            inFlight.Add(await SlowLogin.Begin(server.Port));
        }

        await server.Terminate();
        var exit = server.Exit();

        // It waits for them, and longer than command-line parsers let a program live after SIGTERM.
        await Assert.ThrowsAsync<TimeoutException>(() => exit.WaitAsync(TimeSpan.FromSeconds(2.5), Ct));
        var answers = await Task.WhenAll(inFlight.Select(login => login.Finish()));

        Assert.Equal(0, await exit.WaitAsync(TimeSpan.FromSeconds(10), Ct));
        Assert.All(answers, answer => Assert.StartsWith("HTTP/1.1 200 ", answer, StringComparison.Ordinal));

        await using var again = await ServerProcess.Start(database, ("Gatehouse__Issuer", server.Issuer));
        using var client = again.Client();
        foreach (var answer in answers)
        {
            var body = JsonDocument.Parse(answer[answer.IndexOf('{', StringComparison.Ordinal)..]).RootElement;
            Assert.Equal(200, (await client.Get("/api/v1/auth/me", body.GetProperty("accessToken").GetString())).Code);
        }
    }

    [Theory]
    [BothEngines]
    public async Task A_second_start_finds_users_sessions_and_keys_even_after_a_crash(Engine engine)
    {
        await using var database = await TestDatabase.Empty(engine);
        Answer login;
        string issuer;
        await using (var first = await ServerProcess.Start(database))
        {
            using var client = first.Client();
            login = await client.Login();
            issuer = first.Issuer;
            first.Kill();
            Assert.NotEqual(0, await first.Exit());
        }

        await using var second = await ServerProcess.Start(database, ("Gatehouse__Issuer", issuer));
        using var again = second.Client();
        Assert.Equal(login["sessionId"], (await again.Get("/api/v1/auth/me", login["accessToken"]))["sessionId"]);
        Assert.Equal(200, (await again.Refresh(login["refreshToken"])).Code);

        var users = JsonDocument.Parse((await GatehouseCommand.Run(database, "user", "list", "--json")).Output).RootElement;
        Assert.Equal(3, users.GetArrayLength());
    }

    [Fact]
    public async Task Two_processes_started_together_on_an_empty_PostgreSQL_make_one_schema_and_one_key_set()
    {
        const int rounds = 3;
        for (var round = 0; round < rounds; round++)
        {
            await using var database = await TestDatabase.Empty(Engine.Postgres);

            // Every other round the master key is not in the environment, and two processes make one file.
            var masterKey = round % 2 == 0 ? Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)) : null;
            (string, string?)[] shared = [("Gatehouse__Issuer", "http://localhost:1"), ("GATEHOUSE_MASTER_KEY", masterKey)];
            await using var left = ServerProcess.Launch(database, shared);
            await using var right = ServerProcess.Launch(database, shared);
            await Task.WhenAll(left.Ready(), right.Ready());

            using var atLeft = left.Client();
            using var atRight = right.Client();
            Assert.Equal((await atLeft.Get("/oauth/jwks")).Text, (await atRight.Get("/oauth/jwks")).Text);
            var fromLeft = await atLeft.Login();
            var fromRight = await atRight.Login(ApiClient.Jane);
            Assert.Equal(200, (await atRight.Get("/api/v1/auth/me", fromLeft["accessToken"])).Code);
            Assert.Equal(200, (await atLeft.Get("/api/v1/auth/me", fromRight["accessToken"])).Code);
            Assert.Equal(200, (await atRight.Refresh(fromLeft["refreshToken"])).Code);
            Assert.Equal(200, (await atLeft.Refresh(fromRight["refreshToken"])).Code);

            var store = database.Open();
            var keys = await store.Query(
                new Storage.Sql("SELECT key_use || ' ' || key_state FROM keys ORDER BY 1"), row => row.Text(0), Ct);
            Assert.Equal(keys.Distinct(StringComparer.Ordinal), keys);
            var users = await store.QueryOne(new Storage.Sql("SELECT count(*) FROM users"), row => row.Long(0), Ct);
            Assert.Equal(3, users);
        }
    }

    /// <summary>A login whose body is still missing, and of which the server has begun to read the rest.</summary>
    private sealed class SlowLogin
    {
        private static readonly byte[] Body =
            Encoding.UTF8.GetBytes($"{{\"email\":\"{ApiClient.John}\",\"password\":\"{ApiClient.DemoPassword}\"}}");

        private readonly NetworkStream stream;

        private SlowLogin(NetworkStream stream) => this.stream = stream;

        public static async Task<SlowLogin> Begin(int port)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync("127.0.0.1", port, Ct);
            var login = new SlowLogin(new NetworkStream(socket, ownsSocket: true));
            var head = $"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
                + $"Content-Length: {Body.Length}\r\nConnection: close\r\n\r\n";
            await login.stream.WriteAsync(Encoding.ASCII.GetBytes(head), Ct);

            // Kestrel says this when the handler asks for the body: from here on the request is in flight.
            var expected = Encoding.ASCII.GetBytes("HTTP/1.1 100 Continue\r\n\r\n");
            var got = new byte[expected.Length];
            await login.stream.ReadExactlyAsync(got, Ct);
            Assert.Equal(expected, got);
            return login;
        }

        public async Task<string> Finish()
        {
            await stream.WriteAsync(Body, Ct);
            using var reader = new StreamReader(stream);
            return await reader.ReadToEndAsync(Ct);
        }
    }
}
