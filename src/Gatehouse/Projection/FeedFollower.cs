using Gatehouse.Sessions;
using Gatehouse.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Gatehouse.Projection;

/// <summary>Keeps this process's view of sessions current with what other processes, the command line among them, change.</summary>
public sealed partial class FeedFollower(
    SessionFeed feed, FeedView view, FeedSignal signal, SessionCache cache, TimeProvider time, ILogger<FeedFollower> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan BeatInterval = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // Position first, then serve: whatever is cached from now on is covered by the feed.
        await feed.Start(cancellationToken);
        view.Prove(view.Now);
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var timer = time.CreateTimer(_ => signal.Raise(), null, Interval, Interval);
        var wasAvailable = true;
        while (true)
        {
            await signal.Wait(stoppingToken);
            try
            {
                await Follow(stoppingToken);
                wasAvailable = true;
            }
            catch (DatabaseUnavailableException e)
            {
                if (wasAvailable)
                {
                    LogUnavailable(e);
                }

                wasAvailable = false;
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // A snapshot this release cannot read, say. What is cached may miss a change, so none of it counts any more.
                LogUnreadable(e);
                cache.Clear();
            }
        }
    }

    private async Task Follow(CancellationToken ct)
    {
        var began = view.Now;
        var age = view.Age;
        var withHeartbeat = age >= BeatInterval;
        var read = await feed.Read(withHeartbeat, ct);

        // Rows this process never saw may be gone by now, or never come: what is cached proves nothing any more.
        if (!read.IsContinuous || age > SessionFeed.Kept / 2)
        {
            LogGap();
            cache.Clear();
        }

        foreach (var change in read.Changes)
        {
            cache.Apply(change);
        }

        if (withHeartbeat)
        {
            view.Prove(began);
        }
    }

    [LoggerMessage(2201, LogLevel.Warning, "The session feed cannot be read; beyond the allowed age the store is asked about each session.")]
    private partial void LogUnavailable(Exception e);

    [LoggerMessage(2202, LogLevel.Error, "The session feed holds something unreadable; sessions are read from the store again.")]
    private partial void LogUnreadable(Exception e);

    [LoggerMessage(2203, LogLevel.Warning, "The session feed was interrupted or replaced; what was cached is read again.")]
    private partial void LogGap();
}
