using Gatehouse.Audit;
using Gatehouse.Challenges;
using Gatehouse.Idempotency;
using Gatehouse.Keys;
using Gatehouse.Projection;
using Gatehouse.Sessions;
using Gatehouse.Throttling;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Gatehouse;

/// <summary>Once a minute: rotates keys that are due, and removes rows that say nothing any more. One chore that fails stops no other.</summary>
public sealed partial class Housekeeping(
    KeyRing keys,
    Throttle throttle,
    SessionFeed feed,
    IdempotencyStore idempotency,
    SessionStore sessions,
    SendCode challenges,
    AuditLog audit,
    TimeProvider time,
    ILogger<Housekeeping> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>Does every chore once.</summary>
    internal async Task RunOnce(CancellationToken ct)
    {
        await Do("keys", () => keys.Maintain(ct), ct);
        await Do("throttles", () => throttle.PurgeIdle(ct), ct);
        await Do("feed", () => feed.RemoveOld(ct), ct);
        await Do("idempotency keys", () => idempotency.RemoveOld(ct), ct);
        await Do("ended sessions", () => sessions.RemoveOld(ct), ct);
        await Do("challenges", () => challenges.RemoveOld(ct), ct);
        await Do("audit trail", () => audit.Age(ct), ct);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await RunOnce(stoppingToken);
        }
    }

    private async Task Do(string chore, Func<Task> work, CancellationToken ct)
    {
        try
        {
            await work();
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            LogFailed(e, chore);
        }
    }

    [LoggerMessage(2001, LogLevel.Warning, "The chore '{Chore}' failed; it is tried again in a minute.")]
    private partial void LogFailed(Exception e, string chore);
}
