using Gatehouse.Audit;
using Gatehouse.Keys;
using Gatehouse.Sessions;
using Gatehouse.Storage;

namespace Gatehouse.Users;

/// <summary>Whom a block is about: a user, or an address, which may have no user yet.</summary>
public sealed record BlockTarget(Guid? UserId, string? Email)
{
    /// <summary>A user by id.</summary>
    public static BlockTarget User(Guid userId) => new(userId, null);

    /// <summary>Whichever of the two the text is.</summary>
    public static BlockTarget Parse(string text) => Guid.TryParseExact(text, "D", out var id) ? User(id) : Address(text);

    /// <summary>An address.</summary>
    public static BlockTarget Address(string email) => new(null, EmailAddress.Normalize(email));
}

/// <summary>What came of ending a user.</summary>
public abstract record EndUserOutcome
{
    /// <summary>It is so now, and these sessions are over.</summary>
    public sealed record Done(IReadOnlyList<SessionSnapshot> Sessions) : EndUserOutcome;

    /// <summary>There is no such user.</summary>
    public sealed record NotFound : EndUserOutcome;
}

/// <summary>
/// Refuses a user or an address everywhere and at once: no sign-in that is under way can finish, no session goes on, and the answer at
/// sign-in is that of wrong credentials. Repeating a block publishes again what it ended.
/// </summary>
public sealed class BlockUser(Database database, RevokeSessions revoke, KeyRing keys, AuditLog audit, TimeProvider time)
{
    private static readonly Sql Find = new("""
        SELECT user_id, email FROM users WHERE user_status <> 'deleted' AND (user_id = @user OR (email = @email AND email <> ''))
        """);

    private static readonly Sql BlockAddress = new("""
        INSERT INTO addresses (address, address_blocked_at) VALUES (@email, @now)
        ON CONFLICT (address) DO UPDATE
            SET address_blocked_at = CASE WHEN addresses.address_blocked_at > 0 THEN addresses.address_blocked_at ELSE @now END
        """);

    private static readonly Sql UnblockAddress = new("UPDATE addresses SET address_blocked_at = 0 WHERE address = @email");

    // Raising the epoch makes every credential that was checked before this moment worthless.
    private static readonly Sql SetBlocked = new("""
        UPDATE users SET user_status = 'blocked', auth_epoch = auth_epoch + 1 WHERE user_id = @user AND user_status <> 'deleted'
        """);

    // A code that is on its way is worth nothing any more, nor will it be when the block is lifted.
    private static readonly Sql CancelChallenges = new("""
        UPDATE challenges SET challenge_status = 'cancelled'
        WHERE challenge_address = @email AND alias_number = 0 AND challenge_status IN ('pending_send', 'sent') AND challenge_expires_at > @now
        """);

    private static readonly Sql SetActive = new("UPDATE users SET user_status = 'active' WHERE user_id = @user AND user_status = 'blocked'");

    /// <summary>Blocks. An address without a user is blocked before there is one.</summary>
    public async Task<EndUserOutcome> Block(BlockTarget target, string reason, Actor actor, Origin origin, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(target);
        var isKnown = true;
        var affected = await revoke.Run(
            async tx =>
            {
                // The address is locked first, as by whoever makes a user of it; only then does it say whether there is one.
                if (target.Email is not null)
                {
                    await tx.Execute(BlockAddress, ct, ("email", target.Email), ("now", time.Now()));
                }

                var user = await FindIn(tx, target, ct);
                isKnown = user is not null || target.Email is not null;
                if (user is { Email.Length: > 0 } && target.Email is null)
                {
                    await tx.Execute(BlockAddress, ct, ("email", user.Email), ("now", time.Now()));
                }

                if (!isKnown)
                {
                    return new Ended([], []);
                }

                var ended = new Ended([], []);
                if (user is not null)
                {
                    await tx.Execute(SetBlocked, ct, ("user", user.UserId));
                    ended = await revoke.AllOfUserAgainIn(tx, user.UserId, reason, actor, ct);
                }

                await tx.Execute(CancelChallenges, ct, ("email", target.Email ?? user!.Email), ("now", time.Now()));
                await Audit(tx, "user.blocked", user?.UserId, target.Email ?? user!.Email, reason, actor, origin, ct);
                return ended;
            },
            actor,
            origin,
            ct);
        return isKnown ? new EndUserOutcome.Done(affected) : new EndUserOutcome.NotFound();
    }

    /// <summary>Lets the user or address in again; sessions that were ended stay ended. False when there is neither.</summary>
    public Task<bool> Unblock(BlockTarget target, string reason, Actor actor, Origin origin, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(target);
        return database.InTransaction(
            async tx =>
            {
                var user = await FindIn(tx, target, ct);
                var changed = 0;
                if ((target.Email ?? user?.Email) is { Length: > 0 } email)
                {
                    changed += await tx.Execute(UnblockAddress, ct, ("email", email));
                }

                if (user is not null)
                {
                    await tx.Execute(SetActive, ct, ("user", user.UserId));
                    changed++;
                }

                if (changed > 0)
                {
                    await Audit(tx, "user.unblocked", user?.UserId, target.Email ?? user!.Email, reason, actor, origin, ct);
                }

                return changed > 0;
            },
            ct);
    }

    private static Task<Found?> FindIn(Statements tx, BlockTarget target, CancellationToken ct) => tx.QueryOne(
        Find, row => new Found(row.Id(0), row.Text(1)), ct, ("user", target.UserId), ("email", target.Email ?? ""));

    private async Task Audit(
        Statements tx, string action, Guid? userId, string email, string reason, Actor actor, Origin origin, CancellationToken ct)
    {
        var batch = new Batch();
        audit.Add(batch, new AuditEvent(action, "success", actor, origin)
        {
            UserId = userId,
            AddressHash = userId is null ? keys.HashAddress(email) : "",
            Details = reason,
        });
        await tx.Run(batch, ct);
    }

    private sealed record Found(Guid UserId, string Email);
}
