using Gatehouse.Keys;
using Gatehouse.Storage;

namespace Gatehouse.Sessions;

/// <summary>A session as stored, with the refresh token it was opened with while nobody has used it; afterwards that is empty.</summary>
public sealed record StoredSession(SessionSnapshot Session, string FirstRefreshToken);

/// <summary>Derives again the first refresh token of a session whose opening answer may have been lost.</summary>
public sealed class SessionTokens(Database database, KeyRing keys)
{
    private static readonly Sql ById =
        new($"SELECT {SessionSnapshot.Columns}, generation, refresh_key, refresh_secret FROM sessions WHERE session_id = @id");

    /// <summary>The session; null when there is none.</summary>
    public Task<StoredSession?> Find(Guid sessionId, CancellationToken ct) => database.QueryOne(ById, Read, ct, ("id", sessionId));

    private StoredSession Read(Row row)
    {
        const int next = SessionSnapshot.ColumnCount;
        var session = SessionSnapshot.Read(row);
        var token = row.Long(next) == 0 && keys.Current.TryGetRefresh(row.Long(next + 1), out var key)
            ? RefreshToken.Write(RefreshTokenKind.Direct, key, session.SessionId, generation: 0, row.Bytes(next + 2))
            : "";
        return new StoredSession(session, token);
    }
}
