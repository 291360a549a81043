using Gatehouse.Audit;
using Gatehouse.Sessions;
using Gatehouse.Storage;

namespace Gatehouse.Users;

/// <summary>What came of blocking or erasing a user.</summary>
public abstract record EndUserOutcome
{
    /// <summary>The user is out, and these sessions ended with it.</summary>
    public sealed record Done(IReadOnlyList<SessionSnapshot> Sessions) : EndUserOutcome;

    /// <summary>There is no such user.</summary>
    public sealed record NotFound : EndUserOutcome;
}

/// <summary>Refuses a user everywhere and at once: no sign-in that is under way can finish, no session goes on.</summary>
public sealed class BlockUser(RevokeSessions revoke, AuditLog audit, TimeProvider time)
{
    private static readonly Sql FindEmail = new("SELECT email FROM users WHERE user_id = @user");

    private static readonly Sql BlockAddress = new("""
        INSERT INTO addresses (address, address_blocked_at) VALUES (@email, @now)
        ON CONFLICT (address) DO UPDATE
            SET address_blocked_at = CASE WHEN addresses.address_blocked_at > 0 THEN addresses.address_blocked_at ELSE @now END
        """);

    // Raising the epoch makes every credential that was checked before this moment worthless.
    private static readonly Sql SetBlocked = new("""
        UPDATE users SET user_status = 'blocked', auth_epoch = auth_epoch + 1
        WHERE user_id = @user AND user_status <> 'deleted'
        """);

    /// <summary>Blocks the user. Repeating it ends whatever is still open.</summary>
    public async Task<EndUserOutcome> Block(Guid userId, string reason, Actor actor, Origin origin, CancellationToken ct)
    {
        var found = false;
        var ended = await revoke.Run(
            async tx =>
            {
                if (await tx.QueryOne(FindEmail, row => row.Text(0), ct, ("user", userId)) is not { } email)
                {
                    return [];
                }

                if (email.Length > 0)
                {
                    await tx.Execute(BlockAddress, ct, ("email", email), ("now", time.Now()));
                }

                found = await tx.Execute(SetBlocked, ct, ("user", userId)) > 0;
                if (!found)
                {
                    return [];
                }

                var batch = new Batch();
                audit.Add(batch, new AuditEvent("user.blocked", "success", actor, origin) { UserId = userId, Details = reason });
                await tx.Run(batch, ct);
                return await revoke.AllOfUserIn(tx, userId, except: null, reason, actor, ct);
            },
            actor,
            origin,
            ct);
        return found ? new EndUserOutcome.Done(ended) : new EndUserOutcome.NotFound();
    }
}
