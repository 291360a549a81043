using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Faults.Tests;

/// <summary>
/// A real server process that is killed (SIGKILL) under its clients' hands and started again on the same database. Clients send
/// through <see cref="Send"/>, which does what a patient client does: a request whose connection broke is repeated as it was.
/// </summary>
public sealed class CrashingServer : IAsyncDisposable
{
    // A request is cut off once per kill at most, unless it is very unlucky many times.
    private const int MaxAttempts = 20;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly (string Name, string? Value)[] environment;
    private TaskCompletionSource<Life> current = New<Life>();
    private int lostAnswers;

    private CrashingServer(TestDatabase database, (string Name, string? Value)[] environment)
    {
        Database = database;
        this.environment = environment;
    }

    public TestDatabase Database { get; }

    /// <summary>How many requests had to be repeated because their connection broke.</summary>
    public int LostAnswers => Volatile.Read(ref lostAnswers);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Starts the server; each of its lives listens on ports of its own and is the same issuer, without throttles.</summary>
    public static async Task<CrashingServer> Start(TestDatabase database, params (string Name, string? Value)[] environment)
    {
        var server = new CrashingServer(
            database, [("Gatehouse__Issuer", "http://localhost:1"), ("Gatehouse__RateLimits__Enabled", "false"), .. environment]);
        await server.Begin();
        return server;
    }

    /// <summary>
    /// Sends a request until it is answered. Only a kill may break a connection, and only then is the request repeated, in the next life;
    /// a 503 is repeated at once. Any other 5xx fails the test.
    /// </summary>
    public async Task<Answer> Send(Func<ApiClient, Task<Answer>> request)
    {
        ArgumentNullException.ThrowIfNull(request);
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var life = await current.Task.WaitAsync(Patience, Ct);
            try
            {
                var answer = await request(life.Client);
                if (answer.Code != 503)
                {
                    Assert.True(answer.Code < 500, $"{answer.Text}\n{life.Process.Printed}");
                    life.Answered.TrySetResult();
                    return answer;
                }
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                Interlocked.Increment(ref lostAnswers);
                try
                {
                    await life.Killed.Task.WaitAsync(Patience, Ct);
                }
                catch (TimeoutException)
                {
                    throw new InvalidOperationException($"A connection broke, but nobody killed the server. It printed:\n{life.Process.Printed}", e);
                }
            }
        }

        throw new InvalidOperationException($"A request was not answered in {MaxAttempts} attempts.");
    }

    /// <summary>Completes with the first answer of the life that is now: from then on it is under load.</summary>
    public async Task UnderLoad() => await (await current.Task).Answered.Task.WaitAsync(Patience, Ct);

    /// <summary>Kills the server and starts it again.</summary>
    public async Task KillAndRestart()
    {
        var life = await current.Task;
        current = New<Life>();
        life.Process.Kill();
        await life.Process.Exit();
        life.Killed.SetResult();
        await Begin();
        await life.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (current.Task.IsCompletedSuccessfully)
        {
            await (await current.Task).DisposeAsync();
        }
    }

    private async Task Begin()
    {
        var process = await ServerProcess.Start(Database, environment);
        current.SetResult(new Life(process));
    }

    private static TaskCompletionSource<T> New<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>From one start to the kill.</summary>
    private sealed class Life(ServerProcess process) : IAsyncDisposable
    {
        public ServerProcess Process => process;

        public ApiClient Client { get; } = process.Client();

        public TaskCompletionSource Answered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Killed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async ValueTask DisposeAsync()
        {
            await process.DisposeAsync();
            Client.Dispose();
        }
    }
}
