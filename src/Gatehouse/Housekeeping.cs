using Gatehouse.Idempotency;
using Gatehouse.Keys;
using Gatehouse.Projection;
using Gatehouse.Storage;
using Gatehouse.Throttling;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Gatehouse;

/// <summary>Once a minute: rotates keys that are due, and removes rows that say nothing any more.</summary>
public sealed partial class Housekeeping(
    KeyRing keys, Throttle throttle, SessionFeed feed, OnceStore onceStore, TimeProvider time, ILogger<Housekeeping> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await keys.Maintain(stoppingToken);
                await throttle.PurgeIdle(stoppingToken);
                await feed.RemoveOld(stoppingToken);
                await onceStore.RemoveOld(stoppingToken);
            }
            catch (DatabaseUnavailableException e)
            {
                LogSkipped(e);
            }
        }
    }

    [LoggerMessage(2001, LogLevel.Warning, "Housekeeping was skipped; it is tried again in a minute.")]
    private partial void LogSkipped(Exception e);
}
