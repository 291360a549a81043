using Gatehouse.Sessions;
using Gatehouse.Storage;

namespace Gatehouse.Projection;

/// <summary>What a look at the feed brought.</summary>
/// <param name="Changes">The snapshots that became visible since the last look, each once, in no particular order.</param>
/// <param name="IsContinuous">False when the feed is not the one that was read before, so that what is cached must be forgotten.</param>
public sealed record FeedRead(IReadOnlyList<SessionSnapshot> Changes, bool IsContinuous);

/// <summary>
/// Reads what changed about sessions since the last look. A position is taken before anything is cached, and each read returns
/// every row that became visible since, once.
/// </summary>
public sealed class SessionFeed(ISessionProjection projection, Randomness random, TimeProvider time)
{
    /// <summary>How long rows stay; a reader that was away longer must forget what it cached.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromMinutes(10);

    private static readonly Sql Trim = new("DELETE FROM session_feed WHERE feed_at < @before");
    private static readonly Sql TrimBeats = new("DELETE FROM feed_heartbeats WHERE beat_at < @before");

    private static readonly Sql Beat = new("""
        INSERT INTO feed_heartbeats (beat_node, beat_at) VALUES (@node, @now)
        ON CONFLICT (beat_node) DO UPDATE SET beat_at = @now
        """);

    private readonly Database database = projection.Feed;
    private readonly Source source = projection.Feed is SqliteDatabase ? Source.Sqlite : Source.Postgres;
    private readonly Guid node = random.NewId();
    private string position = "";
    private string timeline = "";

    /// <summary>Takes the position from which <see cref="Read"/> goes on.</summary>
    public async Task Start(CancellationToken ct)
    {
        var batch = new Batch();
        var now = batch.Query(source.Now, row => row.Text(0));
        var line = batch.Query(source.Timeline, row => row.Text(0));
        await database.Run(batch, ct);
        (position, timeline) = (now.All[0], line.All[0]);
    }

    /// <summary>
    /// Reads on. With a heartbeat the read proves that it came from a database that takes writes: a standby, or an old primary that
    /// was cut off, cannot give that proof, and so cannot pass an old view off as a fresh one.
    /// </summary>
    public async Task<FeedRead> Read(bool withHeartbeat, CancellationToken ct)
    {
        var batch = new Batch();
        if (withHeartbeat && source.NeedsHeartbeat)
        {
            batch.Add(Beat, ("node", node), ("now", time.Now()));
        }

        var line = withHeartbeat ? batch.Query(source.Timeline, row => row.Text(0)) : null;
        var rows = batch.Query(source.Since, row => (Position: row.Text(0), Snapshot: row.TextOrNull(1)), ("prev", position));
        await database.Run(batch, ct);
        var isContinuous = line is null || line.All[0] == timeline;
        if (!isContinuous)
        {
            await Start(ct);
            return new FeedRead([], IsContinuous: false);
        }

        if (rows.All.Count > 0)
        {
            position = rows.All[^1].Position;
        }

        return new FeedRead(
            [.. rows.All.Where(row => row.Snapshot is not null).Select(row => SessionSnapshot.FromJson(row.Snapshot!))],
            IsContinuous: true);
    }

    /// <summary>Removes rows that every running reader has seen.</summary>
    public Task RemoveOld(CancellationToken ct)
    {
        var before = time.Now() - Kept.Milliseconds();
        return database.Run(new Batch().Add(Trim, ("before", before)).Add(TrimBeats, ("before", before)), ct);
    }

    // SQLite has one writer, so its feed is in commit order. PostgreSQL draws numbers before commit, and any open transaction
    // may still add rows with lower ones: there the position is a snapshot of which transactions were finished.
    private sealed record Source(Sql Now, Sql Since, Sql Timeline, bool NeedsHeartbeat)
    {
        public static Source Sqlite { get; } = new(
            new Sql("SELECT CAST(coalesce(max(feed_id), 0) AS text) FROM session_feed"),
            new Sql("""
                SELECT CAST(feed_id AS text), feed_snapshot FROM session_feed
                WHERE feed_id > CAST(@prev AS integer) ORDER BY feed_id LIMIT 10000
                """),
            new Sql("SELECT 'file'"),
            NeedsHeartbeat: false);

        public static Source Postgres { get; } = new(
            new Sql("SELECT CAST(pg_current_snapshot() AS text)"),
            new Sql("""
                SELECT CAST(pg_current_snapshot() AS text), feed_snapshot
                FROM (SELECT 1) AS always LEFT JOIN session_feed
                  ON feed_xid >= pg_snapshot_xmin(CAST(@prev AS pg_snapshot))
                  AND NOT pg_visible_in_snapshot(feed_xid, CAST(@prev AS pg_snapshot))
                """),
            new Sql("SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END"),
            NeedsHeartbeat: true);
    }
}
