using Gatehouse.Delivery;
using Gatehouse.Storage;
using Gatehouse.Tenants;
using Gatehouse.Users;

namespace Gatehouse.Testing;

/// <summary>A user made for one test; the password is <see cref="ApiClient.DemoPassword"/>.</summary>
public sealed record Person(Guid Id, string Email, Tenant? Tenant);

/// <summary>Makes people and companies that nobody else uses.</summary>
public static class People
{
    private static readonly Sql CountOutbox = new("SELECT count(*) FROM outbox");

    private static int count;

    /// <summary>A number that no other test of this process has.</summary>
    public static int Number() => Interlocked.Increment(ref count);

    /// <summary>An address of the documentation network that no other test calls from.</summary>
    public static string Address()
    {
        var number = Number();
        return $"198.18.{number / 250}.{(number % 250) + 1}";
    }

    /// <summary>A new user with a place in so many new companies.</summary>
    public static async Task<Person> AddPerson(this GatehouseServer server, string role = Role.Owner, int tenants = 1)
    {
        ArgumentNullException.ThrowIfNull(server);
        var number = Number();
        var wanted = new NewUser($"person{number}@example.com", ApiClient.DemoPassword, "Pat", $"Example {number}");
        var outcome = await server.Get<AddUser>().Add(wanted, Actor.System, Origin.CommandLine, CancellationToken.None);
        var user = ((AddUserOutcome.Added)outcome).User;
        var tenant = default(Tenant);
        for (var i = 0; i < tenants; i++)
        {
            var company = new Tenant(
                Guid.Empty, $"company-{number}-{i}", $"Company {number}-{i}", null, null, "#123456", "FREE", "Europe/Berlin");
            tenant = await server.Get<AddTenant>().Add(
                company, new Dictionary<Guid, string> { [user.UserId] = role }, CancellationToken.None);
        }

        return new Person(user.UserId, wanted.Email, tenant);
    }

    /// <summary>Signs a new user in and returns the answer.</summary>
    public static async Task<Answer> SignInSomebody(this GatehouseServer server, string role = Role.Owner, int tenants = 1)
    {
        using var client = server.Client();
        return await client.Login((await server.AddPerson(role, tenants)).Email);
    }

    /// <summary>An address that has no user.</summary>
    public static string NewAddress() => $"nobody{Number()}@example.com";

    /// <summary>Asks for a code by e-mail and returns the challenge's id with the code from the message.</summary>
    public static async Task<(string ChallengeId, string Code)> AskForCode(
        this GatehouseServer server, ApiClient client, string email, params (string Name, string Value)[] headers)
    {
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(client);
        var inbox = server.Get<DevInbox>();
        var before = inbox.Messages(email).Count;
        var sent = await client.Post("/api/v1/public/auth/send-email-code", new { email }, headers: headers);
        await Eventually.Holds(() => inbox.Messages(email).Count > before);
        return (sent["challenge_id"], inbox.Messages(email)[0].Code!);
    }

    /// <summary>Waits until the outbox is empty: every message is sent or dropped.</summary>
    public static Task Delivered(this GatehouseServer server)
    {
        ArgumentNullException.ThrowIfNull(server);
        return Eventually.Holds(
            async () => await server.Get<Database>().QueryOne(CountOutbox, row => row.Long(0), CancellationToken.None) == 0);
    }
}
