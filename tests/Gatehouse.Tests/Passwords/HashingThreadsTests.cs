using Gatehouse.Passwords;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Tests.Passwords;

public sealed class HashingThreadsTests : IDisposable
{
    private readonly ManualTime time = new();
    private readonly HashingThreads threads;
    private readonly ManualResetEventSlim release = new();
    private readonly CancellationToken cancellation = TestContext.Current.CancellationToken;
    private int ran;

    public HashingThreadsTests() =>
        threads = new HashingThreads(new PasswordOptions { Threads = 1, QueueLimit = 2, QueueTimeout = TimeSpan.FromSeconds(10) }, time);

    public void Dispose()
    {
        release.Set();
        threads.Dispose();
        release.Dispose();
    }

    [Fact]
    public async Task A_full_queue_is_busy_at_once()
    {
        var running = await OccupyTheThread();
        var first = Enqueue();
        var second = Enqueue();
        Assert.Equal(2, threads.Waiting);

        var third = Enqueue();
        Assert.True(third.IsCompletedSuccessfully);
        Assert.Equal("busy", await third);

        release.Set();
        Assert.Equal(["done", "done", "done"], await Task.WhenAll(running, first, second));
        Assert.Equal(0, threads.Waiting);
        Assert.Equal("done", await Enqueue());
    }

    [Fact]
    public async Task Who_waited_too_long_is_busy_without_work()
    {
        var running = await OccupyTheThread();
        var old = Enqueue();
        time.Advance(TimeSpan.FromSeconds(4));
        var young = Enqueue();
        time.Advance(TimeSpan.FromSeconds(7));
        release.Set();

        Assert.Equal(["done", "busy", "done"], await Task.WhenAll(running, old, young));
        Assert.Equal(1, ran);
    }

    [Fact]
    public async Task A_cancelled_caller_leaves_at_once_and_costs_no_work()
    {
        await OccupyTheThread();
        using var gone = new CancellationTokenSource();
        var cancelled = Enqueue(gone.Token);
        await gone.CancelAsync();

        await Assert.ThrowsAsync<TaskCanceledException>(() => cancelled);
        release.Set();
        Assert.Equal("done", await Enqueue());
        Assert.Equal(1, ran);
    }

    [Fact]
    public async Task Stopping_answers_busy_to_all_who_wait()
    {
        var running = await OccupyTheThread();
        var waiting = Enqueue();
        var stopping = Task.Run(threads.Dispose, cancellation);

        Assert.Equal("busy", await waiting);
        Assert.False(stopping.IsCompleted);
        release.Set();
        await stopping;
        Assert.Equal("done", await running);
        Assert.Equal("busy", await Enqueue());
        Assert.Equal(0, ran);
    }

    [Fact]
    public async Task A_failure_reaches_its_caller_and_the_thread_lives_on()
    {
        await Assert.ThrowsAsync<InvalidDataException>(
            () => threads.Run<string>(() => throw new InvalidDataException(), "busy", cancellation));

        Assert.Equal("done", await Enqueue());
    }

    [Fact]
    public async Task The_caller_never_continues_on_a_hashing_thread()
    {
        var running = await OccupyTheThread();
        var continuedOn = running.ContinueWith(
            _ => Thread.CurrentThread.Name, cancellation, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        release.Set();

        Assert.DoesNotContain("Password hashing", await continuedOn ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_hashing_threads_yield_to_the_others()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Read from /proc.");

        var stat = await threads.Run(() => File.ReadAllText("/proc/thread-self/stat"), "busy", cancellation);
        var own = await File.ReadAllTextAsync("/proc/self/stat", cancellation);

        Assert.Equal(Nice(own) + 10, Nice(stat));

        // Field 19 of proc_pid_stat(5); the name in field 2 may hold spaces.
        static int Nice(string line) => int.Parse(line[(line.LastIndexOf(')') + 2)..].Split(' ')[16], provider: null);
    }

    private Task<string> Enqueue(CancellationToken? cancel = null) =>
        threads.Run(
            () =>
            {
                ran++;
                return "done";
            },
            "busy",
            cancel ?? cancellation);

    /// <summary>Returns once the only thread has begun work that lasts until <see cref="release"/>.</summary>
    private async Task<Task<string>> OccupyTheThread()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = threads.Run(
            () =>
            {
                entered.SetResult();
                release.Wait(CancellationToken.None);
                return "done";
            },
            "busy",
            cancellation);
        await entered.Task;
        return running;
    }
}
