using Gatehouse.Sessions;
using Gatehouse.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Gatehouse.Projection;

/// <summary>
/// Makes store and feed agree where they are two databases. What the feed lacks is published again, so that a change becomes known
/// even if nobody repeats the request whose publishing failed. What the feed calls revoked and the store calls active, as after the
/// store was restored from a backup, is revoked in the store: revoked is for good, whoever forgot it.
/// </summary>
public sealed partial class ProjectionRepairer(
    Database store, ISessionProjection projection, RevokeSessions revoke, TimeProvider time, ILogger<ProjectionRepairer> logger)
    : BackgroundService
{
    // A restored store comes with a restart, so the first look is the one that matters.
    private static readonly TimeSpan LookAgain = TimeSpan.FromMinutes(1);

    // A row of the feed becomes visible at most this long after it was stamped: statements time out before.
    private static readonly TimeSpan LatestCommit = TimeSpan.FromSeconds(30);

    private static readonly Sql Published = new("""
        SELECT feed_id, feed_session_id, feed_snapshot FROM session_feed
        WHERE feed_at >= @since AND feed_id > @after AND feed_snapshot LIKE '%"status":"revoked"%' ORDER BY feed_id LIMIT @limit
        """);

    private static readonly Sql StillActive =
        new($"SELECT {SessionSnapshot.Columns} FROM sessions WHERE session_id = @id AND session_status = 'active'");


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
        if (projection.IsTransactional)
        {
            return (0, TimeSpan.Zero);
        }

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

    /// <summary>Revokes in the store what the feed, read from this moment on, calls revoked; returns how many sessions it was.</summary>
    public async Task<int> RevokeForgotten(long since, CancellationToken ct)
    {
        var (after, forgotten) = (0L, 0);
        while (true)
        {
            var page = await projection.Feed.Query(
                Published,
                row => (FeedId: row.Long(0), SessionId: row.Id(1), Snapshot: row.Text(2)),
                ct,
                ("since", since),
                ("after", after),
                ("limit", Portion));
            if (page.Count == 0)
            {
                return forgotten;
            }

            var look = new Batch();
            var rows = page.DistinctBy(row => row.SessionId)
                .Select(row => (row.Snapshot, Active: look.Query(StillActive, SessionSnapshot.Read, ("id", row.SessionId)))).ToList();
            await store.Run(look, ct);
            foreach (var (snapshot, _) in rows.Where(row => row.Active.First is not null))
            {
                var revoked = SessionSnapshot.FromJson(snapshot);
                await revoke.One(revoked.SessionId, revoked.ReasonCode, Actor.System, Origin.Itself, ct);
                forgotten++;
            }

            after = page[^1].FeedId;
        }
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
        var (since, lookAt) = (time.Now() - SessionFeed.Kept.Milliseconds(), 0L);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                while (await RepairOnce(stoppingToken) == Portion)
                {
                }

                var began = time.Now();
                if (began >= lookAt)
                {
                    if (await RevokeForgotten(since, stoppingToken) is > 0 and var count)
                    {
                        LogForgotten(count);
                    }

                    (since, lookAt) = (began - LatestCommit.Milliseconds(), began + LookAgain.Milliseconds());
                }
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(e);
            }
        }
    }

    [LoggerMessage(2206, LogLevel.Warning, "{Count} sessions that the feed knew to be revoked were active in the store, and are revoked again.")]
    private partial void LogForgotten(int count);

    [LoggerMessage(2205, LogLevel.Warning, "The session feed and the store could not be compared; it is tried again in a second.")]
    private partial void LogFailed(Exception e);
}
