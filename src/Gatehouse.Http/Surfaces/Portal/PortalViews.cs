using System.Text.Json.Serialization;
using Gatehouse.Bootstrap;
using Gatehouse.Tenants;
using Gatehouse.Users;

namespace Gatehouse.Http.Surfaces.Portal;

/// <summary>A user as sign-in and <c>me</c> show them.</summary>
public sealed record UserView(
    Guid Id, string? Email, string Name, string FirstName, string LastName, string? Avatar, bool EmailVerified, string CreatedAt)
{
    internal static UserView Of(User user) => new(
        user.UserId,
        user.Email.Length > 0 ? user.Email : null,
        user.Name,
        user.FirstName,
        user.LastName,
        user.Avatar,
        user.EmailVerified,
        Wire.Time(user.CreatedAt));
}

/// <summary>A tenant as sign-in and <c>me</c> show it.</summary>
public sealed record TenantView(Guid Id, string Name, string? Domain)
{
    internal static TenantView? Of(Tenant? tenant) => tenant is null ? null : new(tenant.TenantId, tenant.Name, tenant.Domain);
}

/// <summary><c>GET me</c>.</summary>
public sealed record MeAnswer(UserView User, TenantView? Tenant, Guid SessionId, IReadOnlyList<string> Permissions)
{
    internal static MeAnswer Of(Account account, Guid sessionId) =>
        new(UserView.Of(account.User), TenantView.Of(account.Tenant), sessionId, account.Permissions);
}

/// <summary><c>GET /api/v1/ui/bootstrap</c>: all that a user interface needs to draw itself.</summary>
public sealed record BootstrapAnswer(
    BootstrapUser User,
    BootstrapTenant? Tenant,
    IReadOnlyList<string> Permissions,
    IReadOnlyList<MenuItemView> Menu,
    string DefaultRoute,
    string UiConfigVersion,
    string SchemaVersion,
    IReadOnlyDictionary<string, bool> FeatureFlags,
    PreferencesView Preferences)
{
    private const string ChooseTenant = "/tenants";

    internal static BootstrapAnswer Of(Account account, UiConfig ui) => new(
        BootstrapUser.Of(account),
        BootstrapTenant.Of(account.Tenant),
        account.Permissions,
        MenuItemView.Of(account.Tenant is null ? [] : MenuItem.Visible(ui.Menu, account.Permissions)),
        account.Tenant is null ? ChooseTenant : ui.DefaultRoute,
        ui.Version,
        ui.SchemaVersion,
        ui.FeatureFlags,
        PreferencesView.Of(account.User.Preferences));
}

/// <summary>The user in the bootstrap answer: with their role here, without what only sign-in tells.</summary>
public sealed record BootstrapUser(
    Guid Id, string? Email, string Name, string FirstName, string LastName, string? Avatar, string? Role, string? Department)
{
    internal static BootstrapUser Of(Account account)
    {
        var view = UserView.Of(account.User);
        return new(
            view.Id,
            view.Email,
            view.Name,
            view.FirstName,
            view.LastName,
            view.Avatar,
            Tenants.Role.Shown(account.Role),
            account.User.Department);
    }
}

/// <summary>The tenant in the bootstrap answer, with its looks.</summary>
public sealed record BootstrapTenant(Guid Id, string Name, string? Domain, string? Logo, TenantTheme Theme)
{
    internal static BootstrapTenant? Of(Tenant? tenant) => tenant is null
        ? null
        : new(tenant.TenantId, tenant.Name, tenant.Domain, tenant.Logo, new TenantTheme(tenant.PrimaryColor, tenant.Logo));
}

/// <summary>A tenant's colours and logo.</summary>
public sealed record TenantTheme(string PrimaryColor, string? LogoUrl);

/// <summary>An entry of the menu; entries below another have no icon and no permission of their own.</summary>
public sealed record MenuItemView(string Id, string Label, string Route, int Order)
{
    /// <summary>The icon's name.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Icon { get; init; }

    /// <summary>The permission that shows it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Permission { get; init; }

    /// <summary>The entries below it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<MenuItemView>? Children { get; init; }

    internal static IReadOnlyList<MenuItemView> Of(IReadOnlyList<MenuItem> items) =>
    [
        .. items.Select(item => new MenuItemView(item.Id, item.Label, item.Route, item.Order)
        {
            Icon = item.Icon,
            Permission = item.Permission,
            Children = item.Children is null ? null : Of(item.Children),
        }),
    ];
}

/// <summary>A user's preferences.</summary>
public sealed record PreferencesView(string Locale, string Timezone, string DateFormat, string TimeFormat)
{
    internal static PreferencesView Of(Preferences preferences) =>
        new(preferences.Locale, preferences.TimeZone, preferences.DateFormat, preferences.TimeFormat);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BootstrapAnswer))]
[JsonSerializable(typeof(LoginAnswer))]
[JsonSerializable(typeof(LogoutAnswer))]
[JsonSerializable(typeof(MeAnswer))]
[JsonSerializable(typeof(PreferencesView))]
[JsonSerializable(typeof(RefreshAnswer))]
[JsonSerializable(typeof(RevokedAnswer))]
[JsonSerializable(typeof(SessionsAnswer))]
[JsonSerializable(typeof(SuccessAnswer))]
internal sealed partial class PortalJson : JsonSerializerContext;
