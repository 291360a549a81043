using Gatehouse.Storage;

namespace Gatehouse.Tenants;

/// <summary>Makes tenants and gives users their place in them.</summary>
public sealed class AddTenant(Database database, Randomness random, TimeProvider time)
{
    private static readonly Sql Insert = new($"""
        INSERT INTO tenants ({TenantStore.Columns}, tenant_created_at)
        VALUES (@id, @handle, @name, @domain, @logo, @color, @plan, @zone, @now)
        ON CONFLICT (handle) DO NOTHING
        RETURNING {TenantStore.Columns}
        """);

    private static readonly Sql InsertMember = new("""
        INSERT INTO memberships (member_user_id, member_tenant_id, member_role, member_since, member_changed_at)
        VALUES (@user, @tenant, @role, @now, @now)
        ON CONFLICT (member_user_id, member_tenant_id) DO NOTHING
        """);

    /// <summary>Makes the tenant with its members; null when the handle is taken.</summary>
    public Task<Tenant?> Add(Tenant wanted, IReadOnlyDictionary<Guid, string> roles, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        return database.InTransaction(
            async tx =>
            {
                var now = time.Now();
                var tenant = await tx.QueryOne(
                    Insert,
                    TenantStore.Read,
                    ct,
                    ("id", random.NewId()),
                    ("handle", wanted.Handle),
                    ("name", wanted.Name),
                    ("domain", wanted.Domain),
                    ("logo", wanted.Logo),
                    ("color", wanted.PrimaryColor),
                    ("plan", wanted.Plan),
                    ("zone", wanted.TimeZone),
                    ("now", now));
                if (tenant is null)
                {
                    return null;
                }

                var members = new Batch();
                foreach (var (userId, role) in roles)
                {
                    members.Add(InsertMember, ("user", userId), ("tenant", tenant.TenantId), ("role", role), ("now", now));
                }

                await tx.Run(members, ct);
                return tenant;
            },
            ct);
    }
}
