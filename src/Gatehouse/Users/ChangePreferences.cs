using Gatehouse.Idempotency;
using Gatehouse.Projection;
using Gatehouse.Sessions;
using Gatehouse.Storage;

namespace Gatehouse.Users;

/// <summary>
/// Changes how a user wants to see things. The user's sessions get a new version with it, so that every process drops the
/// views it rendered for them.
/// </summary>
public sealed class ChangePreferences(Database database, SessionPublisher publisher, TimeProvider time)
{
    private static readonly Sql Update = new("""
        UPDATE users SET locale = coalesce(@locale, locale), time_zone = coalesce(@zone, time_zone),
            date_format = coalesce(@date, date_format), time_format = coalesce(@time, time_format)
        WHERE user_id = @user
        RETURNING locale, time_zone, date_format, time_format
        """);

    private static readonly Sql Touch = new($"""
        UPDATE sessions SET {SessionStore.NextVersion}
        WHERE session_user_id = @user AND session_status = 'active' AND absolute_until > @now
        RETURNING {SessionSnapshot.Columns}
        """);

    /// <summary>Changes the fields that are not null, and returns all of them.</summary>
    public async Task<Preferences> Apply(
        Guid userId,
        string? locale,
        string? timeZone,
        string? dateFormat,
        string? timeFormat,
        CancellationToken ct,
        IdempotentWrite<Preferences>? once = null)
    {
        IReadOnlyList<SessionSnapshot> touched = [];
        var changed = await database.InTransaction(
            async tx =>
            {
                var preferences = await tx.QueryOne(
                    Update,
                    row => new Preferences(row.Text(0), row.Text(1), row.Text(2), row.Text(3)),
                    ct,
                    ("locale", locale),
                    ("zone", timeZone),
                    ("date", dateFormat),
                    ("time", timeFormat),
                    ("user", userId));
                var now = time.Now();
                touched = await tx.Query(Touch, SessionSnapshot.Read, ct, ("user", userId), ("now", now));
                var batch = new Batch();
                foreach (var session in touched)
                {
                    publisher.Stage(batch, session);
                }

                await tx.Run(batch, ct);
                return preferences ?? throw new InvalidOperationException($"There is no user {userId}.");
            },
            once,
            ct);
        await publisher.Release(touched);
        return changed;
    }
}
