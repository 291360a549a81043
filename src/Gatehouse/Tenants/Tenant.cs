using Gatehouse.Storage;

namespace Gatehouse.Tenants;

/// <summary>An organisation whose members share data; its short name is its handle.</summary>
public sealed record Tenant(
    Guid TenantId,
    string Handle,
    string Name,
    string? Domain,
    string? Logo,
    string PrimaryColor,
    string Plan,
    string TimeZone);

/// <summary>One user's place in one tenant.</summary>
/// <param name="Tenant">The tenant.</param>
/// <param name="Role">One of <see cref="Tenants.Role"/>.</param>
/// <param name="ChangedAt">When the role was last given or changed, Unix ms.</param>
public sealed record Membership(Tenant Tenant, string Role, long ChangedAt);

/// <summary>Roles of a membership, each with everything of the one before it.</summary>
public static class Role
{
    /// <summary>Makes and edits their own things.</summary>
    public const string Creator = "CREATOR";

    /// <summary>Runs the tenant day to day.</summary>
    public const string Operator = "OPERATOR";

    /// <summary>Answers for the tenant; there is exactly one.</summary>
    public const string Owner = "OWNER";

    private static readonly string[] CreatorPermissions =
        ["dashboard.view", "profile.view", "profile.edit", "listings.view", "listings.create", "listings.edit", "reports.view"];

    private static readonly string[] OperatorPermissions =
        ["dashboard.view", "profile.view", "profile.edit", "users.view", "listings.view", "listings.create", "listings.edit",
            "listings.delete", "reports.view", "reports.export", "settings.view"];

    private static readonly string[] OwnerPermissions =
        ["dashboard.view", "profile.view", "profile.edit", "users.view", "users.create", "users.edit", "listings.view",
            "listings.create", "listings.edit", "listings.delete", "reports.view", "reports.export", "settings.view", "settings.edit"];

    /// <summary>What a role may do, as <c>area.verb</c>; nothing for no role.</summary>
    public static IReadOnlyList<string> Permissions(string role) => role switch
    {
        Owner => OwnerPermissions,
        Operator => OperatorPermissions,
        Creator => CreatorPermissions,
        _ => [],
    };

    /// <summary>The role's name in user interfaces: the owner is shown as <c>admin</c>.</summary>
    public static string? Shown(string role) => role switch
    {
        Owner => "admin",
        Operator => "operator",
        Creator => "creator",
        _ => null,
    };
}

/// <summary>Reads tenants and memberships.</summary>
public sealed class TenantStore(Database database)
{
    internal const string Columns = "tenant_id, handle, tenant_name, domain, logo, primary_color, plan, tenant_time_zone";

    /// <summary>The places of one user, by name; the first two tell whether there is a choice to make.</summary>
    internal static readonly Sql MembershipsOf = new($"""
        SELECT {Columns}, member_role, member_changed_at
        FROM memberships JOIN tenants ON tenant_id = member_tenant_id
        WHERE member_user_id = @user
        ORDER BY tenant_name, tenant_id
        """);

    private static readonly Sql ById = new($"SELECT {Columns} FROM tenants WHERE tenant_id = @id");

    /// <summary>The tenant with this id.</summary>
    public Task<Tenant?> Find(Guid tenantId, CancellationToken ct) => database.QueryOne(ById, Read, ct, ("id", tenantId));

    internal static Tenant Read(Row row) => new(
        row.Id(0), row.Text(1), row.Text(2), row.TextOrNull(3), row.TextOrNull(4), row.Text(5), row.Text(6), row.Text(7));

    internal static Membership ReadMembership(Row row) => new(Read(row), row.Text(8), row.Long(9));
}
