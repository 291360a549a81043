namespace Gatehouse.Testing;

/// <summary>A clock that stands still until a test moves it; its timers fire inside <see cref="Advance"/>, in order.</summary>
public sealed class ManualTime(DateTimeOffset start) : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<ManualTimer> timers = [];
    private DateTimeOffset now = start;

    public ManualTime() : this(new DateTimeOffset(2026, 1, 18, 10, 0, 0, TimeSpan.Zero))
    {
    }

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => GetUtcNow().UtcTicks;

    public override DateTimeOffset GetUtcNow()
    {
        lock (gate)
            return now;
    }

    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        var end = GetUtcNow() + by;
        while (TakeDue(end) is { } timer)
            timer.Fire();
        lock (gate)
            now = end > now ? end : now;
    }

    /// <summary>Moves far: like a machine that was suspended, every timer that fell due fires once, at the end.</summary>
    public void Jump(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        lock (gate)
        {
            now += by;
            foreach (var timer in timers)
                timer.Due = timer.Due < now ? now : timer.Due;
        }

        Advance(TimeSpan.Zero);
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>The clock shows each timer's own due time while it fires.</summary>
    private ManualTimer? TakeDue(DateTimeOffset end)
    {
        lock (gate)
        {
            var timer = timers.Where(t => t.Due <= end).MinBy(t => t.Due);
            if (timer is null)
                return null;
            now = timer.Due > now ? timer.Due : now;
            if (timer.Period > TimeSpan.Zero)
                timer.Due += timer.Period;
            else
                timers.Remove(timer);
            return timer;
        }
    }

    private sealed class ManualTimer(ManualTime time, TimerCallback callback, object? state) : ITimer
    {
        private bool disposed;

        public DateTimeOffset Due { get; set; }

        public TimeSpan Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time.gate)
            {
                if (disposed)
                    return false;
                time.timers.Remove(this);
                Period = period;
                if (dueTime > TimeSpan.Zero)
                {
                    Due = time.now + dueTime;
                    time.timers.Add(this);
                }
                else if (dueTime == TimeSpan.Zero)
                {
                    // As with the real clock, "at once" is soon, on another thread, and never inside the caller.
                    ThreadPool.UnsafeQueueUserWorkItem(_ => Fire(), null);
                    if (period > TimeSpan.Zero)
                    {
                        Due = time.now + period;
                        time.timers.Add(this);
                    }
                }
            }

            return true;
        }

        public void Dispose()
        {
            lock (time.gate)
            {
                disposed = true;
                time.timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
