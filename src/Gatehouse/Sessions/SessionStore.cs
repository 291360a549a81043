using Gatehouse.Storage;

namespace Gatehouse.Sessions;

/// <summary>A session as its owner sees it in a list.</summary>
public sealed record SessionRow(
    SessionSnapshot Snapshot,
    string Method,
    string DeviceName,
    string Ip,
    string UserAgent,
    long CreatedAt,
    long LastAccessedAt);

/// <summary>Reads sessions.</summary>
public sealed class SessionStore(Database database, TimeProvider time)
{
    private const string RowColumns =
        $"{SessionSnapshot.Columns}, method, device_name, ip, user_agent, session_created_at, last_accessed_at";

    /// <summary>The beginning of every statement that ends sessions; takes <c>@now</c>, <c>@reason</c> and <c>@actor</c>.</summary>
    internal const string Revoke = $"""
        UPDATE sessions
        SET session_status = 'revoked', revoked_at = @now, reason_code = @reason, revoked_by = @actor, {NextVersion}
        """;

    /// <summary>Raises the version: every published change does.</summary>
    internal const string NextVersion = "version = CASE WHEN version >= @now THEN version + 1 ELSE @now END";

    private static readonly Sql ById = new($"SELECT {SessionSnapshot.Columns} FROM sessions WHERE session_id = @id");

    private static readonly Sql RowById = new($"SELECT {RowColumns} FROM sessions WHERE session_id = @id");

    private static readonly Sql AllOfUser = new($"""
        SELECT {RowColumns} FROM sessions
        WHERE session_user_id = @user
        ORDER BY session_created_at DESC, session_id DESC
        LIMIT @limit
        """);

    private static readonly Sql LiveOfUser = new($"""
        SELECT {RowColumns} FROM sessions
        WHERE session_user_id = @user AND session_status = 'active' AND idle_until > @now AND absolute_until > @now
        ORDER BY session_created_at DESC, session_id DESC
        LIMIT @limit
        """);

    // A month after its end a session no longer says from where its user usually comes.
    private static readonly TimeSpan KeptAfterEnd = TimeSpan.FromDays(30);

    private static readonly Sql RemoveEnded = new("""
        DELETE FROM sessions WHERE session_id IN (SELECT session_id FROM sessions WHERE absolute_until < @before ORDER BY absolute_until LIMIT 1000)
        """);

    /// <summary>Removes a portion of the sessions that ended long ago.</summary>
    public Task<int> RemoveOld(CancellationToken ct) =>
        database.Execute(RemoveEnded, ct, ("before", time.Now() - KeptAfterEnd.Milliseconds()));

    /// <summary>The snapshot of the row as it is stored now.</summary>
    public Task<SessionSnapshot?> Find(Guid sessionId, CancellationToken ct) =>
        database.QueryOne(ById, SessionSnapshot.Read, ct, ("id", sessionId));

    /// <summary>The whole row.</summary>
    public Task<SessionRow?> FindRow(Guid sessionId, CancellationToken ct) => database.QueryOne(RowById, ReadRow, ct, ("id", sessionId));

    /// <summary>A user's sessions, over or not, newest first.</summary>
    public Task<IReadOnlyList<SessionRow>> ListAll(Guid userId, int limit, CancellationToken ct) =>
        database.Query(AllOfUser, ReadRow, ct, ("user", userId), ("limit", limit));

    /// <summary>A user's live sessions, newest first.</summary>
    public Task<IReadOnlyList<SessionRow>> ListLive(Guid userId, int limit, CancellationToken ct) =>
        database.Query(LiveOfUser, ReadRow, ct, ("user", userId), ("now", time.Now()), ("limit", limit));

    private static SessionRow ReadRow(Row row)
    {
        const int next = SessionSnapshot.ColumnCount;
        return new SessionRow(
            SessionSnapshot.Read(row),
            row.Text(next),
            row.Text(next + 1),
            row.Text(next + 2),
            row.Text(next + 3),
            row.Long(next + 4),
            row.Long(next + 5));
    }
}
