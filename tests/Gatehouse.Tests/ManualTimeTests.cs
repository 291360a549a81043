using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Tests;

public class ManualTimeTests
{
    private readonly ManualTime time = new();

    [Fact]
    public void Time_moves_only_when_told()
    {
        var start = time.GetUtcNow();
        var stamp = time.GetTimestamp();
        Assert.Equal(new DateTimeOffset(2026, 1, 18, 10, 0, 0, TimeSpan.Zero), start);

        time.Advance(TimeSpan.FromSeconds(90));

        Assert.Equal(start.AddSeconds(90), time.GetUtcNow());
        Assert.Equal(TimeSpan.FromSeconds(90), time.GetElapsedTime(stamp));
    }

    [Fact]
    public void Timers_fire_in_order_and_each_at_its_own_time()
    {
        var start = time.GetUtcNow();
        var fired = new List<string>();
        TimerCallback note = name => fired.Add($"{name}{(time.GetUtcNow() - start).TotalSeconds}");
        using var once = time.CreateTimer(note, "once", TimeSpan.FromSeconds(3), Timeout.InfiniteTimeSpan);
        using var often = time.CreateTimer(note, "often", TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2));
        using var never = time.CreateTimer(note, "never", Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        time.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(["often2", "once3", "often4"], fired);

        often.Dispose();
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(3, fired.Count);
    }

    [Fact]
    public async Task Delays_follow_the_clock()
    {
        var delay = Task.Delay(TimeSpan.FromMinutes(1), time, TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(delay.IsCompleted);

        time.Advance(TimeSpan.FromSeconds(1));
        await delay;
    }

    [Fact]
    public async Task A_timer_due_at_once_fires_without_an_advance()
    {
        var fired = new TaskCompletionSource();
        await using var timer = time.CreateTimer(_ => fired.SetResult(), null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        await fired.Task;
    }
}
