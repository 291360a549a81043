using Gatehouse.Sessions;
using Gatehouse.Storage;
using Gatehouse.Tenants;
using Gatehouse.Users;

namespace Gatehouse.Bootstrap;

/// <summary>A session's user, and the tenant it works in.</summary>
public sealed record Account(User User, Tenant? Tenant, string Role)
{
    /// <summary>What the user may do here.</summary>
    public IReadOnlyList<string> Permissions => Tenants.Role.Permissions(Role);
}

/// <summary>Reads the account of a session in one round trip.</summary>
public sealed class ReadAccount(Database database)
{
    private static readonly Sql UserById = new($"SELECT {UserStore.Columns} FROM users WHERE user_id = @user");
    private static readonly Sql TenantById = new($"SELECT {TenantStore.Columns} FROM tenants WHERE tenant_id = @tenant");

    /// <summary>The account as stored now. A user's row is never removed, so every session has one.</summary>
    public async Task<Account> Read(SessionSnapshot session, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(session);
        var batch = new Batch();
        var user = batch.Query(UserById, UserStore.Read, ("user", session.UserId));
        var tenant = batch.Query(TenantById, TenantStore.Read, ("tenant", session.TenantId));
        await database.Run(batch, ct);
        return new Account(
            user.First ?? throw new InvalidOperationException($"Session {session.SessionId} has no user."), tenant.First, session.Roles);
    }
}
