using Gatehouse.Audit;
using Gatehouse.Idempotency;
using Gatehouse.Storage;

namespace Gatehouse.Sessions;

/// <summary>Ends sessions for good: by id, or all of a user's. What hangs below a session ends in the same statement.</summary>
public sealed class RevokeSessions(Database database, SessionCache cache, AuditLog audit, TimeProvider time)
{
    private static readonly Sql RevokeOne = new($"""
        {SessionStore.Revoke}
        WHERE session_status = 'active' AND (session_id = @id OR parent_id = @id)
        RETURNING {SessionSnapshot.Columns}
        """);

    private static readonly Sql RevokeOwn = new($"""
        {SessionStore.Revoke}
        WHERE session_status = 'active' AND session_user_id = @user AND (session_id = @id OR parent_id = @id)
        RETURNING {SessionSnapshot.Columns}
        """);

    private static readonly Sql RevokeBySecret = new($"""
        {SessionStore.Revoke}
        WHERE session_status = 'active'
          AND ((session_id = @id AND refresh_secret = @secret)
            OR parent_id = (SELECT session_id FROM sessions AS parent WHERE parent.session_id = @id AND parent.refresh_secret = @secret))
        RETURNING {SessionSnapshot.Columns}
        """);

    private static readonly Sql RevokeAllOfUser = new($"""
        {SessionStore.Revoke}
        WHERE session_user_id = @user AND session_status = 'active' AND absolute_until > @now AND session_id <> @except
        RETURNING {SessionSnapshot.Columns}
        """);

    // Several rows of one user are only ever locked behind the user's row, so that two such statements cannot deadlock.
    private static readonly Sql LockOwner = new("""
        UPDATE users SET auth_epoch = auth_epoch WHERE user_id = (SELECT session_user_id FROM sessions WHERE session_id = @id)
        """);

    private static readonly Sql LockUser = new("UPDATE users SET auth_epoch = auth_epoch WHERE user_id = @user");

    /// <summary>Ends one session, whoever owns it. Ending it again changes nothing.</summary>
    public Task<IReadOnlyList<SessionSnapshot>> One(Guid sessionId, string reason, Actor actor, Origin origin, CancellationToken ct) =>
        Run(tx => BehindOwner(tx, sessionId, RevokeOne, ct, [("id", sessionId), .. Because(reason, actor)]), actor, origin, ct);

    /// <summary>Ends a session if it is this user's own; the answer is empty when it was not, or was over already.</summary>
    public Task<IReadOnlyList<SessionSnapshot>> Own(Guid sessionId, Guid userId, string reason, Origin origin, CancellationToken ct)
    {
        var actor = Actor.User(userId);
        return Run(
            tx => BehindOwner(tx, sessionId, RevokeOwn, ct, [("id", sessionId), ("user", userId), .. Because(reason, actor)]),
            actor,
            origin,
            ct);
    }

    /// <summary>Ends the session of a refresh token, if the row holds the token's secret.</summary>
    internal Task<IReadOnlyList<SessionSnapshot>> ByRefreshToken(
        Guid sessionId, byte[] secret, Actor actor, string reason, Origin origin, CancellationToken ct) =>
        Run(
            tx => BehindOwner(
                tx, sessionId, RevokeBySecret, ct, [("id", sessionId), ("secret", secret), .. Because(reason, actor)]),
            actor,
            origin,
            ct);

    /// <summary>Ends all sessions of a user, but for one if it is named.</summary>
    public Task<IReadOnlyList<SessionSnapshot>> AllOfUser(
        Guid userId,
        Guid? except,
        string reason,
        Actor actor,
        Origin origin,
        CancellationToken ct,
        IdempotentWrite<IReadOnlyList<SessionSnapshot>>? once = null) =>
        Run(
            async tx =>
            {
                await tx.Execute(LockUser, ct, ("user", userId));
                return await AllOfUserIn(tx, userId, except, reason, actor, ct);
            },
            actor,
            origin,
            ct,
            once);

    /// <summary>The statement of <see cref="AllOfUser"/>, for a use case that already holds the user's lock.</summary>
    internal Task<IReadOnlyList<SessionSnapshot>> AllOfUserIn(
        Statements tx, Guid userId, Guid? except, string reason, Actor actor, CancellationToken ct) =>
        tx.Query(
            RevokeAllOfUser,
            SessionSnapshot.Read,
            ct,
            [("user", userId), ("except", except ?? Guid.Empty), .. Because(reason, actor)]);

    /// <summary>Runs a statement that ends a session and what hangs below it, with the owner locked before.</summary>
    internal static async Task<IReadOnlyList<SessionSnapshot>> BehindOwner(
        Statements tx, Guid sessionId, Sql revoke, CancellationToken ct, params Arg[] args)
    {
        var batch = new Batch().Add(LockOwner, ("id", sessionId));
        var ended = batch.Query(revoke, SessionSnapshot.Read, args);
        await tx.Run(batch, ct);
        return ended.All;
    }

    /// <summary>Runs a transaction that ends sessions: publishes and audits inside it, tells this process after it.</summary>
    internal async Task<IReadOnlyList<SessionSnapshot>> Run(
        Func<Statements, Task<IReadOnlyList<SessionSnapshot>>> revoke,
        Actor actor,
        Origin origin,
        CancellationToken ct,
        IdempotentWrite<IReadOnlyList<SessionSnapshot>>? once = null)
    {
        var ended = await database.InTransaction(
            async tx =>
            {
                var sessions = await revoke(tx);
                if (sessions.Count > 0)
                {
                    await tx.Run(Consequences(sessions, actor, origin), ct);
                }

                return sessions;
            },
            once,
            ct);
        foreach (var session in ended)
        {
            cache.Apply(session);
        }

        return ended;
    }

    private Batch Consequences(IReadOnlyList<SessionSnapshot> ended, Actor actor, Origin origin)
    {
        var batch = new Batch();
        foreach (var session in ended)
        {
            SessionStore.Publish(batch, session, time.Now());
            audit.Add(batch, new AuditEvent("session.revoked", "success", actor, origin)
            {
                UserId = session.UserId,
                SessionId = session.SessionId,
                TenantId = session.TenantId,
                Details = session.ReasonCode,
            });
        }

        return batch;
    }

    private Arg[] Because(string reason, Actor actor) => [("now", time.Now()), ("reason", reason), ("actor", actor.ToString())];
}
