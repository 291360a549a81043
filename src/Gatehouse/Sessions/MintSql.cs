using Gatehouse.Keys;
using Gatehouse.Storage;
using Gatehouse.Tenants;
using Gatehouse.Users;

namespace Gatehouse.Sessions;

/// <summary>The answers of the mint's first round trip.</summary>
internal sealed record MintEntry(
    Batch Batch, Rows<User> User, Rows<Membership> Memberships, Rows<KeyValuePair<string, string>> Settings, Rows<long> Live);

/// <summary>
/// The answers of the mint's second round trip: <c>Evicted</c> only at the limit, <c>Survivor</c> and <c>Superseded</c> only where a challenge
/// is claimed.
/// </summary>
internal sealed record MintInsertion(
    Batch Batch,
    Rows<SessionSnapshot> Session,
    Rows<SessionSnapshot>? Evicted,
    Rows<SessionSnapshot>? Superseded,
    Rows<SessionSnapshot>? Survivor);

/// <summary>What the mint decides about a row before it inserts it.</summary>
internal sealed record NewSessionRow(
    Guid SessionId, Guid UserId, Membership? Membership, byte[] Secret, RefreshKey Key, long IdleTtl, long AbsoluteUntil, long PublishedVersion);

/// <summary>The statements of <see cref="OpenSession"/>, in two round trips.</summary>
internal static class MintSql
{
    // Raising nothing, it locks: whoever changes the user's standing waits, and whoever changed it meanwhile is noticed.
    private static readonly Sql LockByCredential = new($"""
        UPDATE users SET auth_epoch = auth_epoch
        WHERE user_id = @user AND auth_epoch = @seen AND user_status = 'active'
        RETURNING {UserStore.Columns}
        """);

    private static readonly Sql LockByAddress = new($"""
        UPDATE users SET auth_epoch = auth_epoch, email_verified = 1
        WHERE user_id = @user AND email = @email AND user_status = 'active'
          AND NOT EXISTS (SELECT 1 FROM addresses WHERE address = @email AND address_blocked_at > 0)
        RETURNING {UserStore.Columns}
        """);

    // Counted among live sessions; those that lost a race were revoked in the transaction that made them and never count.
    private const string Countable = """
        session_user_id = @user AND session_status = 'active' AND kind IN ('browser', 'device')
        AND idle_until > @now AND absolute_until > @now
        """;

    private static readonly Sql CountLive = new($"SELECT count(*) FROM sessions WHERE {Countable}");

    private static readonly Sql InsertSession = new($"""
        INSERT INTO sessions (
            session_id, kind, session_user_id, session_tenant_id, client_id, dpop_jkt, parent_id, session_status, version,
            published_version, roles, permission_version, scope, amr, auth_time, secret_hash, refresh_secret, refresh_key, generation,
            rotated_at, refresh_tat, retry_hash, idle_ttl, idle_until, absolute_until, session_created_at, last_accessed_at,
            revoked_at, reason_code, revoked_by, method, device_name, ip, ip_prefix, user_agent)
        VALUES (
            @id, @kind, @user, @tenant, '', @jkt, NULL, 'active', @now,
            @published, @roles, @permissionVersion, @scope, @amr, @now, '', @secret, @key, 0,
            @now, 0, '', @idle, @now + @idle, @absolute, @now, @now,
            0, '', '', @method, @device, @ip, @ipPrefix, @agent)
        RETURNING {SessionSnapshot.Columns}
        """);

    private static readonly Sql Claim = new("""
        UPDATE challenges
        SET challenge_status = 'confirmed_pending_expire', confirmed_session_id = @id, confirmed_jkt = @jkt, confirmed_device = @device,
            challenge_expires_at = CASE WHEN challenge_expires_at > @repeatUntil THEN challenge_expires_at ELSE @repeatUntil END
        WHERE challenge_id = @root AND challenge_status IN ('pending_send', 'sent') AND challenge_expires_at > @now
          AND CASE WHEN @alias = 0 THEN own_tries ELSE alias_tries END < @maxTries
        """);

    private const string ClaimIsMine = "EXISTS (SELECT 1 FROM challenges WHERE challenge_id = @root AND confirmed_session_id = @id)";

    // The status is asked for again outside: whoever ended such a session a moment ago has the last word on why.
    private const string Surplus = $"""
        WITH surplus AS (
            SELECT session_id AS surplus_id FROM sessions WHERE {Countable}
            ORDER BY CASE WHEN session_id = @id THEN 0 ELSE 1 END, last_accessed_at DESC, session_id DESC
            LIMIT 1000000 OFFSET @limit)
        """;

    private const string IsSurplus = """
        session_user_id = @user AND session_status = 'active'
        AND (session_id IN (SELECT surplus_id FROM surplus) OR parent_id IN (SELECT surplus_id FROM surplus))
        """;

    private static readonly Sql Evict = new($"""
        {Surplus} {SessionStore.Revoke} WHERE {IsSurplus} RETURNING {SessionSnapshot.Columns}
        """);

    private static readonly Sql EvictForWinner = new($"""
        {Surplus} {SessionStore.Revoke} WHERE {ClaimIsMine} AND {IsSurplus} RETURNING {SessionSnapshot.Columns}
        """);

    private static readonly Sql RevokeLoser = new($"""
        {SessionStore.Revoke} WHERE session_id = @id AND NOT {ClaimIsMine} RETURNING {SessionSnapshot.Columns}
        """);

    private static readonly Sql ReadSurvivor = new($"""
        SELECT {SessionSnapshot.Columns} FROM sessions
        WHERE session_id = (SELECT confirmed_session_id FROM challenges WHERE challenge_id = @root)
        """);

    /// <summary>Locks the user and reads what the decision needs under that lock.</summary>
    public static MintEntry Enter(Claimant who, long now)
    {
        var batch = new Batch();
        var (user, locked) = who switch
        {
            Claimant.ByAddress a => (a.UserId, EnterByAddress(batch, a, now)),
            Claimant.ByCredential c => (c.UserId, batch.Query(LockByCredential, UserStore.Read, ("user", c.UserId), ("seen", c.AuthEpoch))),
            _ => throw new ArgumentOutOfRangeException(nameof(who)),
        };
        return new MintEntry(
            batch,
            locked,
            batch.Query(TenantStore.MembershipsOf, TenantStore.ReadMembership, ("user", user)),
            batch.Query(SessionLimit.ReadSettings, SessionLimit.ReadSetting),
            batch.Query(CountLive, row => row.Long(0), ("user", user), ("now", now)));
    }

    /// <summary>Inserts the session, claims its challenge if it has one, and ends what must end.</summary>
    public static MintInsertion Insert(NewSession wanted, NewSessionRow row, int limit, bool mustEvict, long now)
    {
        var batch = new Batch();
        var session = batch.Query(
            InsertSession,
            SessionSnapshot.Read,
            ("id", row.SessionId),
            ("kind", wanted.Kind),
            ("user", row.UserId),
            ("tenant", row.Membership?.Tenant.TenantId),
            ("jkt", wanted.DpopJkt),
            ("now", now),
            ("published", row.PublishedVersion),
            ("roles", row.Membership?.Role ?? ""),
            ("permissionVersion", row.Membership?.ChangedAt ?? 0),
            ("scope", OpenSession.FirstPartyScope),
            ("amr", wanted.Amr),
            ("secret", row.Secret),
            ("key", row.Key.Number),
            ("idle", row.IdleTtl),
            ("absolute", row.AbsoluteUntil),
            ("method", wanted.Method),
            ("device", wanted.DeviceName),
            ("ip", wanted.Origin.Ip),
            ("ipPrefix", wanted.Origin.IpPrefix),
            ("agent", wanted.Origin.UserAgent));
        Arg[] eviction =
        [
            ("now", now),
            ("reason", "session_limit_evicted"),
            ("actor", Actor.System.ToString()),
            ("user", row.UserId),
            ("id", row.SessionId),
            ("limit", limit),
        ];
        return wanted.Claim is { } claim
            ? ClaimChallenge(batch, session, row.SessionId, claim, mustEvict ? eviction : null, now)
            : new MintInsertion(batch, session, mustEvict ? batch.Query(Evict, SessionSnapshot.Read, eviction) : null, null, null);
    }

    private static MintInsertion ClaimChallenge(
        Batch batch, Rows<SessionSnapshot> session, Guid sessionId, ChallengeClaim claim, Arg[]? eviction, long now)
    {
        batch.Add(
            Claim,
            ("root", claim.RootId),
            ("id", sessionId),
            ("jkt", claim.Jkt),
            ("device", claim.Device),
            ("repeatUntil", claim.RepeatUntil),
            ("alias", claim.IsAlias),
            ("now", now),
            ("maxTries", Challenges.Challenge.MaxTries));
        var superseded = batch.Query(
            RevokeLoser,
            SessionSnapshot.Read,
            ("now", now),
            ("reason", "confirm_race_repair"),
            ("actor", Actor.System.ToString()),
            ("id", sessionId),
            ("root", claim.RootId));
        var evicted = eviction is not null
            ? batch.Query(EvictForWinner, SessionSnapshot.Read, [.. eviction, ("root", claim.RootId)])
            : null;
        return new MintInsertion(
            batch, session, evicted, superseded, batch.Query(ReadSurvivor, SessionSnapshot.Read, ("root", claim.RootId)));
    }

    private static Rows<User> EnterByAddress(Batch batch, Claimant.ByAddress who, long now)
    {
        batch.Add(AddUser.ClaimAddress, ("email", who.Email));
        batch.Add(AddUser.NumberIfNew, ("id", who.UserId), ("email", who.Email));
        batch.Add(
            AddUser.InsertIfNew,
            ("id", who.UserId),
            ("email", who.Email),
            ("locale", who.Registration.Locale),
            ("zone", who.Registration.TimeZone),
            ("date", who.Registration.DateFormat),
            ("time", who.Registration.TimeFormat),
            ("now", now));
        return batch.Query(LockByAddress, UserStore.Read, ("user", who.UserId), ("email", who.Email));
    }
}
