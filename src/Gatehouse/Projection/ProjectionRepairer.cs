using Gatehouse.Sessions;
using Gatehouse.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Gatehouse.Projection;

/// <summary>
/// Publishes again what the feed lacks, so that a change becomes known even if nobody repeats the request whose publishing failed.
/// Runs beside a <see cref="SeparateProjection"/>.
/// </summary>
public sealed partial class ProjectionRepairer(
    Database store, ISessionProjection projection, TimeProvider time, ILogger<ProjectionRepairer> logger) : BackgroundService
{
    private const int Portion = 500;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private static readonly Sql Behind = new($"""
        SELECT {SessionSnapshot.Columns} FROM sessions WHERE version > published_version ORDER BY version LIMIT @limit
        """);

    private static readonly Sql CountBehind = new("SELECT count(*), coalesce(min(version), 0) FROM sessions WHERE version > published_version");

    private static readonly Sql Page = new($"""
        SELECT {SessionSnapshot.Columns} FROM sessions
        WHERE session_id > @after AND absolute_until > @now ORDER BY session_id LIMIT @limit
        """);

    /// <summary>How many changes the feed lacks, and for how long the oldest has been missing.</summary>
    public async Task<(long Count, TimeSpan Lag)> Backlog(CancellationToken ct)
    {
        var (count, oldest) = await store.QueryOne(CountBehind, row => (row.Long(0), row.Long(1)), ct);
        return (count, count == 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(Math.Max(0, time.Now() - oldest)));
    }

    /// <summary>Publishes one portion of what is missing; returns how many snapshots it was.</summary>
    public async Task<int> RepairOnce(CancellationToken ct)
    {
        var behind = await store.Query(Behind, SessionSnapshot.Read, ct, ("limit", Portion));
        await projection.Publish(behind, ct);
        return behind.Count;
    }

    /// <summary>Publishes every session there is, as after the feed was lost; returns how many.</summary>
    public async Task<int> Rebuild(Action<int> progress, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(progress);
        var total = 0;
        var after = Guid.Empty;
        while (true)
        {
            var sessions = await store.Query(
                Page, SessionSnapshot.Read, ct, ("after", after), ("now", time.Now()), ("limit", Portion));
            if (sessions.Count == 0)
            {
                return total;
            }

            var staged = new Batch();
            foreach (var session in sessions)
            {
                projection.Stage(staged, session, time.Now());
            }

            await store.Run(staged, ct);
            await projection.Publish(sessions, ct);
            after = sessions[^1].SessionId;
            total += sessions.Count;
            progress(total);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                while (await RepairOnce(stoppingToken) == Portion)
                {
                }
            }
            catch (DatabaseUnavailableException e)
            {
                LogUnavailable(e);
            }
        }
    }

    [LoggerMessage(2202, LogLevel.Warning, "The session feed cannot be written; changes are published once it can.")]
    private partial void LogUnavailable(Exception e);
}
