using Gatehouse.Storage;

namespace Gatehouse.Sessions;

/// <summary>The statements of <see cref="RefreshSession"/>.</summary>
internal static class RefreshSql
{
    // Who may use the row at all; the rest of each statement says what for.
    private const string Theirs =
        "session_id = @id AND refresh_secret = @secret AND client_id = @client AND dpop_jkt = @jkt AND session_status = 'active'";

    private const string Next = "CASE WHEN refresh_tat > @now THEN refresh_tat ELSE @now END + @interval";

    public static readonly Sql Rotate = new($"""
        UPDATE sessions SET
            generation = @generation + 1,
            rotated_at = CASE WHEN generation = @generation THEN @now ELSE rotated_at END,
            refresh_tat = CASE WHEN generation = @generation THEN {Next} ELSE refresh_tat END,
            retry_hash = CASE WHEN generation = @generation THEN @retry ELSE retry_hash END,
            last_accessed_at = CASE WHEN generation = @generation THEN @now ELSE last_accessed_at END,
            idle_until = CASE WHEN generation = @generation THEN @now + idle_ttl ELSE idle_until END
        WHERE {Theirs} AND idle_until > @now AND absolute_until > @now
          AND ((generation = @generation AND refresh_tat <= @now + @burst)
            OR (generation = @generation + 1
                AND (rotated_at > @now - @grace OR (@retry <> '' AND retry_hash = @retry AND rotated_at > @now - @lost))))
        RETURNING {SessionSnapshot.Columns}, generation, refresh_tat
        """)
    {
        MayShare = true,
    };

    public static readonly Sql Touch = new($"""
        UPDATE sessions SET refresh_tat = {Next}, last_accessed_at = @now, idle_until = @now + idle_ttl
        WHERE {Theirs} AND idle_until > @now AND absolute_until > @now
          AND ((generation = @generation AND refresh_tat <= @now + @burst)
            OR (generation = @generation + 1 AND rotated_at > @now - @grace))
        RETURNING {SessionSnapshot.Columns}, generation, refresh_tat
        """);

    public static readonly Sql ReadState = new("""
        SELECT generation, refresh_tat, session_status, idle_until, absolute_until
        FROM sessions
        WHERE session_id = @id AND refresh_secret = @secret AND client_id = @client AND dpop_jkt = @jkt
        """);

    // Repeats the whole condition for reuse, so that of several requests that saw it, one changes the row.
    public static readonly Sql RevokeReused = new($"""
        {SessionStore.Revoke}
        WHERE {Theirs}
          AND (generation > @generation + 1
            OR (generation = @generation + 1 AND rotated_at <= @now - @grace
                AND (@retry = '' OR retry_hash <> @retry OR rotated_at <= @now - @lost)))
        RETURNING {SessionSnapshot.Columns}
        """);

    public static readonly Sql RevokeChildren = new($"""
        {SessionStore.Revoke}
        WHERE parent_id = @id AND session_status = 'active'
        RETURNING {SessionSnapshot.Columns}
        """);

    public static readonly Sql CatchUp = new($"""
        UPDATE sessions SET generation = @generation + 1, rotated_at = @now, retry_hash = @retry, last_accessed_at = @now, idle_until = @now + idle_ttl
        WHERE {Theirs} AND idle_until > @now AND absolute_until > @now AND generation < @generation
        RETURNING {SessionSnapshot.Columns}, generation, refresh_tat
        """);
}
