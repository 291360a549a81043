using Gatehouse.Audit;
using Gatehouse.Sessions;
using Gatehouse.Storage;

namespace Gatehouse.Users;

/// <summary>Erases a person: ends all sessions, empties every personal column, and keeps the id so that it is never given again.</summary>
public sealed class DeleteUser(RevokeSessions revoke, AuditLog audit)
{
    private static readonly Sql Erase = new("""
        UPDATE users
        SET user_status = 'deleted', auth_epoch = auth_epoch + 1, email = '', email_verified = 0, first_name = '', last_name = '',
            avatar = NULL, department = NULL, password_hash = '', platform_role = ''
        WHERE user_id = @user AND user_status <> 'deleted'
        """);

    private static readonly Sql ForgetAddress = new("""
        DELETE FROM addresses
        WHERE address_blocked_at = 0 AND address = (SELECT email FROM users WHERE user_id = @user AND email <> '')
        """);

    private static readonly Sql FindAddress = new("SELECT email FROM users WHERE user_id = @user");
    private static readonly Sql ForgetChallenges = new("""
        DELETE FROM challenges
        WHERE root_id IN (SELECT challenge_id FROM challenges WHERE challenge_address = @email AND alias_number = 0)
        """);
    private static readonly Sql LeaveTenants = new("DELETE FROM memberships WHERE member_user_id = @user");

    private static readonly Sql ForgetPlaces =
        new("UPDATE sessions SET ip = '', ip_prefix = '', user_agent = '', device_name = '' WHERE session_user_id = @user");

    /// <summary>Erases the user.</summary>
    public async Task<EndUserOutcome> Delete(Guid userId, Actor actor, Origin origin, CancellationToken ct)
    {
        var found = false;
        var ended = await revoke.Run(
            async tx =>
            {
                var email = await tx.QueryOne(FindAddress, row => row.Text(0), ct, ("user", userId));
                await tx.Execute(ForgetAddress, ct, ("user", userId));
                found = await tx.Execute(Erase, ct, ("user", userId)) > 0;
                if (!found)
                {
                    return new Ended([], []);
                }

                var sessions = await revoke.AllOfUserIn(tx, userId, except: null, "user_deleted", actor, ct);
                var batch = new Batch()
                    .Add(LeaveTenants, ("user", userId))
                    .Add(ForgetPlaces, ("user", userId))
                    .Add(ForgetChallenges, ("email", email));
                audit.Add(batch, new AuditEvent("user.deleted", "success", actor, origin) { UserId = userId });
                await tx.Run(batch, ct);
                return new Ended(sessions, []);
            },
            actor,
            origin,
            ct);
        return found ? new EndUserOutcome.Done(ended) : new EndUserOutcome.NotFound();
    }
}
