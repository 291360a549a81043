using Gatehouse.Sessions;
using Gatehouse.Storage;

namespace Gatehouse.Projection;

/// <summary>
/// Reads what changed about sessions since the last look. A position is taken before anything is cached, and each read returns
/// every row that became visible since, once.
/// </summary>
public sealed class SessionFeed(Database database, TimeProvider time)
{
    /// <summary>How long rows stay; a reader that was away longer must forget what it cached.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromMinutes(10);

    private static readonly Sql Trim = new("DELETE FROM session_feed WHERE feed_at < @before");

    private readonly Source source = database is SqliteDatabase ? Source.Sqlite : Source.Postgres;
    private string position = "";

    /// <summary>Takes the position from which <see cref="ReadNew"/> goes on.</summary>
    public async Task Start(CancellationToken ct) =>
        position = await database.QueryOne(source.Now, row => row.Text(0), ct) ?? throw new InvalidOperationException("No position.");

    /// <summary>The snapshots that became visible since the last call, in no particular order.</summary>
    public async Task<IReadOnlyList<SessionSnapshot>> ReadNew(CancellationToken ct)
    {
        var rows = await database.Query(source.Since, row => (Position: row.Text(0), Snapshot: row.TextOrNull(1)), ct, ("prev", position));
        List<SessionSnapshot> changes = [.. rows.Where(row => row.Snapshot is not null).Select(row => SessionSnapshot.FromJson(row.Snapshot!))];
        if (rows.Count > 0)
        {
            position = rows[^1].Position;
        }

        return changes;
    }

    /// <summary>Removes rows that every running reader has seen.</summary>
    public Task<int> RemoveOld(CancellationToken ct) =>
        database.Execute(Trim, ct, ("before", time.Now() - Kept.Milliseconds()));

    // SQLite has one writer, so its feed is in commit order. PostgreSQL draws numbers before commit, and any open transaction
    // may still add rows with lower ones: there the position is a snapshot of which transactions were finished.
    private sealed record Source(Sql Now, Sql Since)
    {
        public static Source Sqlite { get; } = new(
            new Sql("SELECT CAST(coalesce(max(feed_id), 0) AS text) FROM session_feed"),
            new Sql("""
                SELECT CAST(feed_id AS text), feed_snapshot FROM session_feed
                WHERE feed_id > CAST(@prev AS integer) ORDER BY feed_id LIMIT 10000
                """));

        public static Source Postgres { get; } = new(
            new Sql("SELECT CAST(pg_current_snapshot() AS text)"),
            new Sql("""
                SELECT CAST(pg_current_snapshot() AS text), feed_snapshot
                FROM (SELECT 1) AS always LEFT JOIN session_feed
                  ON feed_xid >= pg_snapshot_xmin(CAST(@prev AS pg_snapshot))
                  AND NOT pg_visible_in_snapshot(feed_xid, CAST(@prev AS pg_snapshot))
                """));
    }
}
