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
        var lastRead = time.GetTimestamp();
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                var changes = await feed.ReadNew(stoppingToken);
                if (time.GetElapsedTime(lastRead) > SessionFeed.Kept / 2)
                {
                    cache.Clear();
                }

                lastRead = time.GetTimestamp();
                foreach (var change in changes)
                {
                    cache.Apply(change);
                }
            }
            catch (DatabaseUnavailableException e)
            {
                LogUnavailable(e);
            }
        }
    }

    [LoggerMessage(2201, LogLevel.Warning, "The session feed cannot be read; changes made by other processes are not seen until it can.")]
    private partial void LogUnavailable(Exception e);
}
