using Gatehouse.Sessions;
using Gatehouse.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Gatehouse.Projection;

/// <summary>Keeps this process's view of sessions current with what other processes, the command line among them, change.</summary>
public sealed partial class FeedFollower(
    SessionFeed feed, SessionCache cache, TimeProvider time, ILogger<FeedFollower> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // Position first, then serve: whatever is cached from now on is covered by the feed.
        await feed.Start(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        var lastRead = (Monotonic: time.GetTimestamp(), Wall: time.Now());
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                var began = (time.GetTimestamp(), time.Now());
                var changes = await feed.ReadNew(stoppingToken);
                if (Away(lastRead.Monotonic, lastRead.Wall) > SessionFeed.Kept / 2)
                {
                    cache.Clear();
                }

                lastRead = began;
                foreach (var change in changes)
                {
                    cache.Apply(change);
                }
            }
            catch (DatabaseUnavailableException e)
            {
                LogUnavailable(e);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // A snapshot this release cannot read, say. What is cached may miss a change, so none of it counts any more.
                LogUnreadable(e);
                cache.Clear();
            }
        }
    }

    // A machine that slept has no monotonic time to show for it, and a wall clock may be set: the larger of both counts.
    private TimeSpan Away(long monotonic, long wall)
    {
        var (slept, passed) = (TimeSpan.FromMilliseconds(time.Now() - wall), time.GetElapsedTime(monotonic));
        return slept > passed ? slept : passed;
    }

    [LoggerMessage(2201, LogLevel.Warning, "The session feed cannot be read; changes made by other processes are not seen until it can.")]
    private partial void LogUnavailable(Exception e);

    [LoggerMessage(2202, LogLevel.Error, "The session feed holds something unreadable; sessions are read from the store again.")]
    private partial void LogUnreadable(Exception e);
}
