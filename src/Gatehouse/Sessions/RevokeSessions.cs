using Gatehouse.Audit;
using Gatehouse.Idempotency;
using Gatehouse.Projection;
using Gatehouse.Storage;

namespace Gatehouse.Sessions;

/// <summary>Ends sessions for good: by id, or all of a user's. What hangs below a session ends in the same statement.</summary>
public sealed class RevokeSessions(Database database, SessionPublisher publisher, AuditLog audit, TimeProvider time)
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

    private static readonly Sql FindRevoked = new($"""
        SELECT {SessionSnapshot.Columns} FROM sessions
        WHERE session_status = 'revoked' AND (session_id = @id OR parent_id = @id)
        """);

    private static readonly Sql FindRevokedOfUser = new($"""
        SELECT {SessionSnapshot.Columns} FROM sessions
        WHERE session_user_id = @user AND session_status = 'revoked' AND reason_code = @reason AND revoked_by = @actor
          AND absolute_until > @now
        """);

    // Several rows of one user are only ever locked behind the user's row, so that two such statements cannot deadlock.
    private static readonly Sql LockOwner = new("""
        UPDATE users SET auth_epoch = auth_epoch WHERE user_id = (SELECT session_user_id FROM sessions WHERE session_id = @id)
        """);

    private static readonly Sql LockUser = new("UPDATE users SET auth_epoch = auth_epoch WHERE user_id = @user");

    /// <summary>Ends one session, whoever owns it. Ending it again publishes it again, in case nobody heard.</summary>
    public Task<IReadOnlyList<SessionSnapshot>> One(Guid sessionId, string reason, Actor actor, Origin origin, CancellationToken ct) =>
        Run(
            async tx =>
            {
                var newly = await BehindOwner(tx, sessionId, RevokeOne, ct, [("id", sessionId), .. Because(reason, actor)]);
                return Ended.Of(newly, await tx.Query(FindRevoked, SessionSnapshot.Read, ct, ("id", sessionId)));
            },
            actor,
            origin,
            ct);

    /// <summary>Ends a session if it is this user's own; the answer is empty when it was not, or was over already.</summary>
    public Task<IReadOnlyList<SessionSnapshot>> Own(Guid sessionId, Guid userId, string reason, Origin origin, CancellationToken ct)
    {
        var actor = Actor.User(userId);
        return Run(
            async tx => new Ended(
                await BehindOwner(tx, sessionId, RevokeOwn, ct, [("id", sessionId), ("user", userId), .. Because(reason, actor)]), []),
            actor,
            origin,
            ct);
    }

    /// <summary>Ends the session of a refresh token, if the row holds the token's secret.</summary>
    internal Task<IReadOnlyList<SessionSnapshot>> ByRefreshToken(
        Guid sessionId, byte[] secret, Actor actor, string reason, Origin origin, CancellationToken ct) =>
        Run(
            async tx => new Ended(
                await BehindOwner(tx, sessionId, RevokeBySecret, ct, [("id", sessionId), ("secret", secret), .. Because(reason, actor)]), []),
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
                return new Ended(await AllOfUserIn(tx, userId, except, reason, actor, ct), []);
            },
            actor,
            origin,
            ct,
            once);

    /// <summary>Ends all sessions of a user; repeated with the same reason and actor, it publishes them again.</summary>
    public Task<IReadOnlyList<SessionSnapshot>> AllOfUserAgain(
        Guid userId, string reason, Actor actor, Origin origin, CancellationToken ct) =>
        Run(
            async tx =>
            {
                await tx.Execute(LockUser, ct, ("user", userId));
                return await AllOfUserAgainIn(tx, userId, reason, actor, ct);
            },
            actor,
            origin,
            ct);

    /// <summary>
    /// The same for a use case that holds the user's lock and may be repeated: what an earlier call with the same reason and actor ended
    /// is found and published again.
    /// </summary>
    internal async Task<Ended> AllOfUserAgainIn(Statements tx, Guid userId, string reason, Actor actor, CancellationToken ct)
    {
        var newly = await AllOfUserIn(tx, userId, except: null, reason, actor, ct);
        return Ended.Of(
            newly, await tx.Query(FindRevokedOfUser, SessionSnapshot.Read, ct, [("user", userId), .. Because(reason, actor)]));
    }

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
        Func<Statements, Task<Ended>> revoke,
        Actor actor,
        Origin origin,
        CancellationToken ct,
        IdempotentWrite<IReadOnlyList<SessionSnapshot>>? once = null)
    {
        var affected = await database.InTransaction(
            async tx =>
            {
                var ended = await revoke(tx);
                if (ended.All.Count > 0)
                {
                    await tx.Run(Consequences(ended, actor, origin), ct);
                }

                return ended.All;
            },
            once,
            ct);
        await publisher.Release(affected);
        return affected;
    }

    private Batch Consequences(Ended ended, Actor actor, Origin origin)
    {
        var batch = new Batch();
        foreach (var session in ended.All)
        {
            publisher.Stage(batch, session);
        }

        foreach (var session in ended.Newly)
        {
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

/// <summary>Sessions that a transaction ended, and those that an earlier one had ended for the same cause.</summary>
internal sealed record Ended(IReadOnlyList<SessionSnapshot> Newly, IReadOnlyList<SessionSnapshot> Earlier)
{
    /// <summary>Both.</summary>
    public IReadOnlyList<SessionSnapshot> All { get; } = [.. Newly, .. Earlier];

    /// <summary>Splits what is over now into what is newly so and the rest.</summary>
    public static Ended Of(IReadOnlyList<SessionSnapshot> newly, IReadOnlyList<SessionSnapshot> over)
    {
        var ids = newly.Select(session => session.SessionId).ToHashSet();
        return new(newly, [.. over.Where(session => !ids.Contains(session.SessionId))]);
    }
}
