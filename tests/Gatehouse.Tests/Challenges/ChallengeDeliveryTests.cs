using Gatehouse.Challenges;
using Gatehouse.Delivery;
using Gatehouse.Storage;
using Gatehouse.Testing;
using Gatehouse.Tests.Delivery;
using Gatehouse.Tests.Sessions;
using Gatehouse.Users;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Gatehouse.Tests.Challenges;

/// <summary>What becomes of a code's message, as the real worker tells it to the challenge.</summary>
public sealed class ChallengeDeliveryTests
{
    private static readonly DeliveryOutcome Refused = new DeliveryOutcome.Failure(BeforeData: true, IsPermanent: false, "try later");
    private static readonly DeliveryOutcome Rejected = new DeliveryOutcome.Failure(BeforeData: true, IsPermanent: true, "no such mailbox");
    private static readonly DeliveryOutcome Unknown = new DeliveryOutcome.Failure(BeforeData: false, IsPermanent: false, "lost");
    private static readonly Sql CountOutbox = new("SELECT count(*) FROM outbox");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    [Requirement("S4-25", "S4-26", "S4-75")]
    public async Task The_outcome_is_kept_with_the_challenge(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        foreach (var (outcome, status, kept) in new[]
        {
            (new DeliveryOutcome.Sent(), ChallengeStatus.Sent, "sent"),
            (new DeliveryOutcome.Suppressed(), ChallengeStatus.DeliverySuppressed, "suppressed"),
            (Rejected, ChallengeStatus.Failed, "failure"),
            (Refused, ChallengeStatus.PendingSend, "failure"),
            (Unknown, ChallengeStatus.Sent, "failure"),
        })
        {
            var id = await fixture.Node.SendCode(fixture.NewAddress());
            Assert.Equal((ChallengeStatus.PendingSend, ""), ((await fixture.Row(id)).Status, (await fixture.Row(id)).Outcome));

            await Deliver(fixture, RecordingSender.Answering(outcome));

            Assert.Equal((status, kept), ((await fixture.Row(id)).Status, (await fixture.Row(id)).Outcome));
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-23", "S4-24")]
    public async Task The_message_carries_the_code_and_nothing_goes_to_who_is_blocked_throttled_or_in_already(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var (address, confirmed, blocked, later) =
            (fixture.NewAddress(), fixture.NewAddress(), fixture.NewAddress(), (await fixture.Node.NewUser()).Email);
        await fixture.Node.Block.Block(BlockTarget.Address(blocked), "abuse", Actor.System, SessionNode.Origin, Ct);
        var (_, code) = await fixture.Challenge(address);
        await fixture.Node.SendCode(address);
        await fixture.Node.SendCode(blocked);
        var (used, its) = await fixture.Challenge(confirmed);
        await fixture.Node.ConfirmCode(used, its);
        await fixture.Node.SendCode(later);
        await fixture.Node.Block.Block(BlockTarget.Address(later), "abuse", Actor.System, SessionNode.Origin, Ct);
        var sender = new RecordingSender();

        await Deliver(fixture, sender);

        var message = Assert.Single(sender.Sent);
        Assert.Equal((address, code), (message.To, message.Code));
        Assert.Equal(0, await fixture.Sessions.Count(CountOutbox));
    }

    [Theory]
    [BothEngines]
    public async Task A_message_that_was_certainly_not_sent_gives_the_cooldown_back_twice_in_ten_minutes(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var address = fixture.NewAddress();
        for (var i = 0; i < 3; i++)
        {
            var id = await fixture.Node.SendCode(address);
            Assert.Equal((id, ChallengeStatus.PendingSend), (id, (await fixture.Row(id)).Status));
            await Deliver(fixture, RecordingSender.Answering(Rejected));
        }

        Assert.Equal(ChallengeStatus.DeliveryThrottled, (await fixture.Row(await fixture.Node.SendCode(address))).Status);
        fixture.Time.Advance(TimeSpan.FromMinutes(10));
        await fixture.Node.SendCode(address);
        await Deliver(fixture, RecordingSender.Answering(Rejected));
        Assert.Equal(ChallengeStatus.PendingSend, (await fixture.Row(await fixture.Node.SendCode(address))).Status);
    }

    [Theory]
    [BothEngines]
    public async Task A_message_that_may_have_arrived_keeps_the_cooldown_and_its_code_is_good(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var address = fixture.NewAddress();
        var (id, code) = await fixture.Challenge(address);

        await Deliver(fixture, RecordingSender.Answering(Unknown));

        Assert.Equal(ChallengeStatus.DeliveryThrottled, (await fixture.Row(await fixture.Node.SendCode(address))).Status);
        await fixture.Node.ConfirmCode(id, code);
    }

    [Theory]
    [BothEngines]
    public async Task A_failed_retry_of_an_old_message_leaves_a_newer_one_its_cooldown(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var address = fixture.NewAddress();
        await fixture.Node.SendCode(address);
        await Deliver(fixture, RecordingSender.Answering(Refused));
        fixture.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(ChallengeStatus.PendingSend, (await fixture.Row(await fixture.Node.SendCode(address))).Status);
        await Deliver(fixture, new RecordingSender());

        // The retry of the first message falls due and fails again.
        fixture.Time.Advance(TimeSpan.FromSeconds(15));
        await Deliver(fixture, RecordingSender.Answering(Rejected));

        Assert.Equal(ChallengeStatus.DeliveryThrottled, (await fixture.Row(await fixture.Node.SendCode(address))).Status);
    }

    /// <summary>Sends what is due, until nothing is.</summary>
    private static async Task Deliver(ChallengeFixture fixture, RecordingSender sender)
    {
        var random = new Randomness(fixture.Time);
        using var worker = new OutboxWorker(
            fixture.Sessions.Raw,
            new Outbox(fixture.Time, random),
            sender,
            fixture.Time,
            random,
            NullLogger<OutboxWorker>.Instance,
            hooks: fixture.Node.Delivery.Hooks);
        while (await worker.RunOnce(Ct) > 0)
        {
        }
    }
}
