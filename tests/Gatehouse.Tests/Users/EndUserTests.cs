using Gatehouse.Sessions;
using Gatehouse.Storage;
using Gatehouse.Tenants;
using Gatehouse.Testing;
using Gatehouse.Tests.Sessions;
using Gatehouse.Users;
using Xunit;

namespace Gatehouse.Tests.Users;

public sealed class EndUserTests
{
    private static readonly Sql Person = new("""
        SELECT email || first_name || last_name || coalesce(avatar, '') || coalesce(department, '') || password_hash || platform_role,
            user_status, user_number
        FROM users WHERE user_id = @user
        """);

    private static readonly Sql Places =
        new("SELECT count(*) FROM sessions WHERE session_user_id = @user AND ip || ip_prefix || user_agent || device_name <> ''");

    private static readonly Sql Addresses = new("SELECT count(*) FROM addresses WHERE address = @email");
    private static readonly Sql Memberships = new("SELECT count(*) FROM memberships WHERE member_user_id = @user");
    private static readonly Sql Audits = new("SELECT count(*) FROM audit_events WHERE audit_user_id = @user AND audit_action = @action");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    public async Task Deleting_a_user_erases_the_person_ends_the_sessions_and_keeps_the_id(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var node = fixture.Node;
        var wanted = new NewUser("ada@example.com", "correct horse battery", "Ada", "Lovelace")
        {
            Avatar = "https://cdn.example.com/ada.png",
            Department = "Engines",
            PlatformRole = "operator",
        };
        var user = Assert.IsType<AddUserOutcome.Added>(await node.AddUser.Add(wanted, Actor.System, SessionNode.Origin, Ct)).User;
        var tenant = new Tenant(Guid.Empty, "engines", "Engines", null, null, "#000000", "FREE", "UTC");
        await new AddTenant(fixture.Raw, new Randomness(fixture.Time), fixture.Time).Add(
            tenant, new Dictionary<Guid, string> { [user.UserId] = Role.Owner }, Ct);
        var opened = await node.Open(user);
        Assert.Equal(1, await fixture.Count(Places, ("user", user.UserId)));

        var done = Assert.IsType<EndUserOutcome.Done>(await node.Delete.Delete(user.UserId, Actor.System, SessionNode.Origin, Ct));

        Assert.Equal("user_deleted", Assert.Single(done.Sessions).ReasonCode);
        Assert.Equal(
            ("", User.Deleted, user.Number),
            await fixture.Raw.QueryOne(Person, row => (row.Text(0), row.Text(1), row.Long(2)), Ct, ("user", user.UserId)));
        Assert.Equal(0, await fixture.Count(Places, ("user", user.UserId)));
        Assert.Equal(0, await fixture.Count(Memberships, ("user", user.UserId)));
        Assert.Equal(0, await fixture.Count(Addresses, ("email", "ada@example.com")));
        Assert.Equal(BearerFailure.Revoked, await node.Check(opened.Session));
        Assert.IsType<OpenOutcome.Refused>(await node.TryOpen(user));
        Assert.IsType<OpenOutcome.Refused>(await node.TryOpen(user with { AuthEpoch = user.AuthEpoch + 1 }));
        Assert.IsType<EndUserOutcome.NotFound>(await node.Delete.Delete(user.UserId, Actor.System, SessionNode.Origin, Ct));

        // The address is free again, for somebody else.
        Assert.NotEqual(user.UserId, (await node.NewUser("ada@example.com")).UserId);
    }

    [Theory]
    [BothEngines]
    public async Task The_address_of_a_blocked_user_stays_blocked_when_the_user_is_deleted(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var node = fixture.Node;
        var user = await node.NewUser("mallory@example.com");
        Assert.IsType<EndUserOutcome.Done>(await node.BlockThem(user.UserId));
        await node.Delete.Delete(user.UserId, Actor.System, SessionNode.Origin, Ct);

        var again = new NewUser("Mallory@Example.com", null, "", "");
        Assert.IsType<AddUserOutcome.AddressBlocked>(await node.AddUser.Add(again, Actor.System, SessionNode.Origin, Ct));
    }

    [Theory]
    [BothEngines]
    public async Task Blocking_whoever_is_not_there_changes_and_audits_nothing(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var node = fixture.Node;
        var user = await node.NewUser();
        await node.Delete.Delete(user.UserId, Actor.System, SessionNode.Origin, Ct);

        Assert.IsType<EndUserOutcome.NotFound>(await node.BlockThem(user.UserId));
        Assert.IsType<EndUserOutcome.NotFound>(await node.BlockThem(Guid.NewGuid()));

        Assert.Equal(0, await fixture.Count(Audits, ("user", user.UserId), ("action", "user.blocked")));
    }

    [Theory]
    [BothEngines]
    public async Task Of_many_who_take_one_address_at_once_one_gets_it(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        SessionNode[] nodes = [fixture.Node, await fixture.StartAnother()];
        for (var repetition = 0; repetition < 5; repetition++)
        {
            var email = $"wanted{repetition}@example.com";
            var outcomes = await Together.Run(10, i => nodes[i % 2].AddUser.Add(
                new NewUser(email, null, "", ""), Actor.System, SessionNode.Origin, Ct));

            Assert.Single(outcomes.OfType<AddUserOutcome.Added>());
            Assert.Equal(9, outcomes.OfType<AddUserOutcome.AddressTaken>().Count());
        }
    }
}
