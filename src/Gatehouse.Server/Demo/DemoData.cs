using Gatehouse.Tenants;
using Gatehouse.Users;

namespace Gatehouse.Server.Demo;

/// <summary>Three people and two companies to try things with; in Development only.</summary>
internal sealed class DemoData(AddUser addUser, AddTenant addTenant, UserStore users)
{
    public const string Password = "SecureP@ssw0rd123";

    /// <summary>Adds what is missing; started twice, it finds everything there.</summary>
    public async Task Add(CancellationToken ct)
    {
        var john = await AddPerson(new NewUser("john.doe@example.com", Password, "John", "Doe")
        {
            Department = "Engineering",
            Avatar = "https://cdn.example.com/avatars/john.doe.jpg",
            Preferences = new Preferences("en-US", "America/New_York", "MM/DD/YYYY", "12h"),
        }, ct);
        var jane = await AddPerson(new NewUser("jane.roe@example.com", Password, "Jane", "Roe") { Department = "Marketing" }, ct);
        await AddPerson(new NewUser("op@example.com", Password, "Olivia", "Park") { PlatformRole = "operator" }, ct);

        await addTenant.Add(
            Company("acme", "Acme Corporation", "#1890ff", "ENTERPRISE"),
            new Dictionary<Guid, string> { [john] = Role.Owner, [jane] = Role.Creator },
            ct);
        await addTenant.Add(Company("globex", "Globex", "#52c41a", "PRO"), new Dictionary<Guid, string> { [jane] = Role.Creator }, ct);
    }

    private static Tenant Company(string handle, string name, string color, string plan) => new(
        Guid.Empty,
        handle,
        name,
        $"{handle}.example.com",
        $"https://cdn.example.com/tenants/{handle}/logo.png",
        color,
        plan,
        "America/New_York");

    private async Task<Guid> AddPerson(NewUser person, CancellationToken ct) =>
        await addUser.Add(person, Actor.System, Origin.CommandLine, ct) switch
        {
            AddUserOutcome.Added added => added.User.UserId,
            _ => (await users.FindByEmail(person.Email, ct))?.UserId
                ?? throw new InvalidOperationException($"The demo user {person.Email} cannot be added: the address is blocked."),
        };
}
