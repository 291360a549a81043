using Gatehouse.Audit;
using Gatehouse.Keys;
using Gatehouse.Storage;
using Gatehouse.Tenants;

namespace Gatehouse.Sessions;

/// <summary>What a sign-in asks for once the credential was found right.</summary>
/// <param name="UserId">Who signs in.</param>
/// <param name="AuthEpoch">The user's epoch as it was read together with the credential.</param>
/// <param name="Kind">One of <see cref="SessionKind"/>.</param>
/// <param name="Method">The sign-in method, as the user's list of sessions names it: <c>password</c>.</param>
/// <param name="Amr">How the user proved who they are.</param>
/// <param name="RememberMe">Whether the long idle limit applies.</param>
/// <param name="Origin">The request.</param>
public sealed record NewSession(
    Guid UserId, long AuthEpoch, string Kind, string Method, string Amr, bool RememberMe, Origin Origin);

/// <summary>A session just opened, with what its owner is told.</summary>
/// <param name="Session">The session.</param>
/// <param name="RefreshToken">The first refresh token.</param>
/// <param name="Membership">The place it works in; null until one is chosen.</param>
/// <param name="MustChooseTenant">Whether there are several places to choose from.</param>
public sealed record OpenedSession(SessionSnapshot Session, string RefreshToken, Membership? Membership, bool MustChooseTenant);

/// <summary>What came of opening a session.</summary>
public abstract record OpenOutcome
{
    /// <summary>It is open, durable and known to this process.</summary>
    public sealed record Opened(OpenedSession Session) : OpenOutcome;

    /// <summary>The user was blocked, or the credential changed, since it was checked.</summary>
    public sealed record Refused : OpenOutcome;

    /// <summary>The user has as many sessions as the policy <see cref="SessionLimitPolicy.Reject"/> allows.</summary>
    public sealed record LimitReached : OpenOutcome;
}

/// <summary>
/// The one place where sessions come from. Its transaction (1) locks the user and proves that the credential still holds,
/// (2) reads roles and limit under that lock, (3) ends what is over the limit, (4) inserts and publishes. Lock order: user, then session.
/// </summary>
public sealed class OpenSession(
    Database database, KeyRing keys, SessionCache cache, AuditLog audit, Randomness random, TimeProvider time, SessionOptions options)
{
    /// <summary>The scope of sessions on our own surfaces.</summary>
    public const string FirstPartyScope = "openid profile email";

    internal static readonly Sql LockUser = new("""
        UPDATE users SET auth_epoch = auth_epoch
        WHERE user_id = @user AND auth_epoch = @seen AND user_status = 'active'
        RETURNING user_id
        """);

    private static readonly Sql ReadLimit = new("SELECT setting_value FROM settings WHERE setting_name = 'session_limit'");

    private static readonly Sql CountLive = new("""
        SELECT count(*) FROM sessions
        WHERE session_user_id = @user AND session_status = 'active' AND kind IN ('browser', 'device')
          AND idle_until > @now AND absolute_until > @now
        """);

    // The status is asked for again outside: whoever ended such a session a moment ago has the last word on why.
    private static readonly Sql EvictBeyond = new($"""
        WITH surplus AS (
            SELECT session_id AS surplus_id FROM sessions
            WHERE session_user_id = @user AND session_status = 'active' AND kind IN ('browser', 'device')
              AND idle_until > @now AND absolute_until > @now
            ORDER BY last_accessed_at DESC, session_id DESC
            LIMIT 1000000 OFFSET @keep)
        {SessionStore.Revoke}
        WHERE session_user_id = @user AND session_status = 'active'
          AND (session_id IN (SELECT surplus_id FROM surplus) OR parent_id IN (SELECT surplus_id FROM surplus))
        RETURNING {SessionSnapshot.Columns}
        """);

    private static readonly Sql Insert = new($"""
        INSERT INTO sessions (
            session_id, kind, session_user_id, session_tenant_id, client_id, dpop_jkt, parent_id, session_status, version,
            published_version, roles, permission_version, scope, amr, auth_time, secret_hash, refresh_secret, refresh_key, generation,
            rotated_at, refresh_tat, retry_hash, idle_ttl, idle_until, absolute_until, session_created_at, last_accessed_at,
            revoked_at, reason_code, revoked_by, method, device_name, ip, ip_prefix, user_agent)
        VALUES (
            @id, @kind, @user, @tenant, '', '', NULL, 'active', @now,
            @now, @roles, @permissionVersion, @scope, @amr, @now, '', @secret, @key, 0,
            @now, 0, '', @idle, @now + @idle, @absolute, @now, @now,
            0, '', '', @method, @device, @ip, @ipPrefix, @agent)
        RETURNING {SessionSnapshot.Columns}
        """);

    /// <summary>Opens the session; <paramref name="alongside"/> adds what must be stored with it or not at all.</summary>
    public async Task<OpenOutcome> Open(NewSession wanted, Action<Batch> alongside, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        ArgumentNullException.ThrowIfNull(alongside);
        var id = random.NewId();
        cache.Expect(id);
        try
        {
            var (outcome, evicted) = await database.InTransaction(tx => OpenIn(tx, id, wanted, alongside, ct), ct);
            foreach (var session in evicted)
            {
                cache.Apply(session);
            }

            if (outcome is OpenOutcome.Opened opened)
            {
                cache.Keep(opened.Session.Session);
            }

            return outcome;
        }
        finally
        {
            cache.StopExpecting(id);
        }
    }

    private async Task<(OpenOutcome Outcome, IReadOnlyList<SessionSnapshot> Evicted)> OpenIn(
        Statements tx, Guid id, NewSession wanted, Action<Batch> alongside, CancellationToken ct)
    {
        var now = time.Now();
        var locked = await tx.QueryOne(LockUser, row => (Guid?)row.Id(0), ct, ("user", wanted.UserId), ("seen", wanted.AuthEpoch));
        if (locked is null)
        {
            return (new OpenOutcome.Refused(), []);
        }

        var reads = new Batch();
        var memberships = reads.Query(TenantStore.MembershipsOf, TenantStore.ReadMembership, ("user", wanted.UserId));
        var limitSetting = reads.Query(ReadLimit, row => row.Text(0));
        var live = reads.Query(CountLive, row => row.Long(0), ("user", wanted.UserId), ("now", now));
        await tx.Run(reads, ct);

        var limit = int.TryParse(limitSetting.First, System.Globalization.CultureInfo.InvariantCulture, out var set) ? set : options.Limit;
        if (options.LimitPolicy == SessionLimitPolicy.Reject && live.First >= limit)
        {
            return (new OpenOutcome.LimitReached(), []);
        }

        IReadOnlyList<SessionSnapshot> evicted = live.First < limit
            ? []
            : await tx.Query(EvictBeyond, SessionSnapshot.Read, ct, ("user", wanted.UserId), ("now", now), ("keep", Math.Max(0, limit - 1)),
                ("reason", "session_limit_evicted"), ("actor", Actor.System.ToString()));

        var membership = memberships.All.Count == 1 ? memberships.All[0] : null;
        var (session, refreshToken) = await InsertIn(tx, id, wanted, membership, now, ct);
        await tx.Run(Consequences(wanted, session, evicted, alongside, now), ct);
        return (new OpenOutcome.Opened(new OpenedSession(session, refreshToken, membership, memberships.All.Count > 1)), evicted);
    }

    private async Task<(SessionSnapshot Session, string RefreshToken)> InsertIn(
        Statements tx, Guid id, NewSession wanted, Membership? membership, long now, CancellationToken ct)
    {
        var secret = random.Bytes(RefreshToken.SecretLength);
        var key = keys.Current.Refresh;
        var idle = wanted.RememberMe ? options.IdleLimit : options.ShortIdleLimit;
        var session = await tx.QueryOne(
            Insert,
            SessionSnapshot.Read,
            ct,
            ("id", id),
            ("kind", wanted.Kind),
            ("user", wanted.UserId),
            ("tenant", membership?.Tenant.TenantId),
            ("now", now),
            ("roles", membership?.Role ?? ""),
            ("permissionVersion", membership?.ChangedAt ?? 0),
            ("scope", FirstPartyScope),
            ("amr", wanted.Amr),
            ("secret", secret),
            ("key", key.Number),
            ("idle", idle.Milliseconds()),
            ("absolute", now + options.AbsoluteLimit.Milliseconds()),
            ("method", wanted.Method),
            ("device", ""),
            ("ip", wanted.Origin.Ip),
            ("ipPrefix", wanted.Origin.IpPrefix),
            ("agent", wanted.Origin.UserAgent));
        return (session!, RefreshToken.Write(RefreshTokenKind.Direct, key, id, generation: 0, secret));
    }

    private Batch Consequences(
        NewSession wanted, SessionSnapshot session, IReadOnlyList<SessionSnapshot> evicted, Action<Batch> alongside, long now)
    {
        var batch = new Batch();
        foreach (var ended in evicted)
        {
            SessionStore.Publish(batch, ended, now);
            audit.Add(batch, new AuditEvent("session.revoked", "success", Actor.System, wanted.Origin)
            {
                UserId = ended.UserId,
                SessionId = ended.SessionId,
                TenantId = ended.TenantId,
                Details = ended.ReasonCode,
            });
        }

        SessionStore.Publish(batch, session, now);
        audit.Add(batch, new AuditEvent("session.opened", "success", Actor.User(session.UserId), wanted.Origin)
        {
            UserId = session.UserId,
            SessionId = session.SessionId,
            TenantId = session.TenantId,
            Details = wanted.Method,
        });
        alongside(batch);
        return batch;
    }
}
