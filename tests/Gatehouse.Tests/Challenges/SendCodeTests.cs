using Gatehouse.Challenges;
using Gatehouse.Storage;
using Gatehouse.Testing;
using Gatehouse.Users;
using Xunit;

namespace Gatehouse.Tests.Challenges;

public sealed class SendCodeTests
{
    private static readonly Sql CountUsers = new("SELECT count(*) FROM users WHERE email = @email");
    private static readonly Sql CountChallenges = new("SELECT count(*) FROM challenges");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    [Requirement("S4-14", "S4-18", "S4-19", "S4-20", "S4-21", "S4-24")]
    public async Task An_address_with_and_one_without_a_user_get_a_message_each_and_no_user_is_made(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var existing = (await fixture.Node.NewUser()).Email;
        foreach (var address in new[] { existing, fixture.NewAddress() })
        {
            var users = await fixture.Sessions.Count(CountUsers, ("email", address));
            var id = await fixture.Node.SendCode(address);

            Assert.Equal(ChallengeStatus.PendingSend, (await fixture.Row(id)).Status);
            Assert.Equal(1, await fixture.Messages(address));
            Assert.Equal(users, await fixture.Sessions.Count(CountUsers, ("email", address)));
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-22", "S4-23", "S4-27")]
    public async Task A_blocked_user_and_a_blocked_address_get_an_id_that_nothing_confirms_and_no_message(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var user = await fixture.Node.NewUser();
        await fixture.Node.BlockThem(user.UserId);
        var nobody = fixture.NewAddress();
        await fixture.Node.Block.Block(BlockTarget.Address(nobody), "abuse", Actor.System, Sessions.SessionNode.Origin, Ct);
        foreach (var address in new[] { user.Email, nobody })
        {
            var (id, code) = await fixture.Challenge(address);

            Assert.Equal(ChallengeStatus.DeliverySuppressed, (await fixture.Row(id)).Status);
            Assert.Equal(0, await fixture.Messages(address));
            Assert.IsType<ConfirmOutcome.InvalidCode>(await fixture.Node.TryConfirm(id, code));
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-15", "S4-16", "S4-17")]
    public async Task Within_the_cooldown_a_new_id_shares_the_code_that_is_on_its_way(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var address = fixture.NewAddress();
        var (first, code) = await fixture.Challenge(address);

        fixture.Time.Advance(TimeSpan.FromSeconds(59));
        var second = await fixture.Node.SendCode(address);

        Assert.NotEqual(first, second);
        Assert.Equal((first, 1), ((await fixture.Row(second)).RootId, (await fixture.Row(second)).Alias));
        Assert.Equal(ChallengeStatus.DeliveryThrottled, (await fixture.Row(second)).Status);
        Assert.Equal(1, await fixture.Messages(address));
        await fixture.Node.ConfirmCode(second, code);
    }

    [Theory]
    [BothEngines]
    public async Task After_the_cooldown_another_message_carries_another_code(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var address = fixture.NewAddress();
        var (first, code) = await fixture.Challenge(address);

        fixture.Time.Advance(TimeSpan.FromSeconds(60));
        var (second, other) = await fixture.Challenge(address);

        Assert.Equal(2, await fixture.Messages(address));
        Assert.NotEqual(code, other);
        Assert.IsType<ConfirmOutcome.InvalidCode>(await fixture.Node.TryConfirm(second, code));
        await fixture.Node.ConfirmCode(second, other);
        await fixture.Node.ConfirmCode(first, code);
    }

    [Theory]
    [BothEngines]
    public async Task The_cooldown_is_one_step_so_of_many_requests_at_once_one_sends(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        fixture.Sessions.Throttles.Enabled = false;
        var address = fixture.NewAddress();

        var ids = await Together.Run(20, _ => fixture.Node.SendCode(address));

        Assert.Equal(20, ids.Distinct().Count());
        Assert.Equal(1, await fixture.Messages(address));
        var rows = await Task.WhenAll(ids.Select(fixture.Row));
        Assert.Single(rows.Select(row => row.RootId).Distinct());
        Assert.Equal([0, 1, 2, 3, 4, 5], rows.Select(row => row.Alias).Distinct().Order().Take(6));
    }

    [Theory]
    [BothEngines]
    public async Task Only_the_first_four_further_ids_confirm(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var address = fixture.NewAddress();
        var (_, code) = await fixture.Challenge(address);
        var further = new List<Guid>();
        for (var i = 0; i < 5; i++)
        {
            further.Add(await fixture.Node.SendCode(address));
        }

        Assert.IsType<ConfirmOutcome.InvalidCode>(await fixture.Node.TryConfirm(further[4], code));
        await fixture.Node.ConfirmCode(further[3], code);
    }

    [Theory]
    [BothEngines]
    public async Task Six_messages_an_hour_go_to_an_address_and_what_is_over_it_is_silently_not_sent(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var address = fixture.NewAddress();
        for (var i = 0; i < 7; i++)
        {
            await fixture.Node.SendCode(address, from: $"198.51.100.{i}");
            fixture.Time.Advance(TimeSpan.FromSeconds(61));
        }

        Assert.Equal(6, await fixture.Messages(address));

        // The seventh id shares the code of the sixth message.
        var last = await fixture.Node.SendCode(address, from: "198.51.100.201");
        Assert.NotEqual(last, (await fixture.Row(last)).RootId);
        Assert.Equal(ChallengeStatus.DeliveryThrottled, (await fixture.Row(last)).Status);
        fixture.Time.Advance(TimeSpan.FromMinutes(10));
        await fixture.Node.SendCode(address, from: "198.51.100.200");
        Assert.Equal(7, await fixture.Messages(address));
    }

    [Theory]
    [BothEngines]
    public async Task One_client_address_asks_ten_times_an_hour(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        for (var i = 0; i < 10; i++)
        {
            await fixture.Node.SendCode(fixture.NewAddress());
        }

        var request = new CodeRequest(
            ChallengePurpose.EmailSignIn, fixture.NewAddress(), "sign_in_code", "en-US", Sessions.SessionNode.Origin);
        var refused = Assert.IsType<SendCodeOutcome.Throttled>(await fixture.Node.Send.Send(request, Ct));
        Assert.Equal(fixture.Time.Now() + TimeSpan.FromMinutes(6).Milliseconds(), refused.Permit.ResetAt);
    }

    [Theory]
    [BothEngines]
    public async Task Dead_challenges_are_removed_an_hour_after_their_end_and_live_ones_stay(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        await fixture.Challenge(fixture.NewAddress());
        fixture.Time.Advance(TimeSpan.FromMinutes(70));
        var live = fixture.NewAddress();
        var (id, code) = await fixture.Challenge(live);

        Assert.Equal(0, await fixture.Node.Send.RemoveOld(Ct));
        fixture.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, await fixture.Node.Send.RemoveOld(Ct));

        Assert.Equal(1, await fixture.Sessions.Count(CountChallenges));
        await fixture.Node.ConfirmCode(id, code);
    }
}
