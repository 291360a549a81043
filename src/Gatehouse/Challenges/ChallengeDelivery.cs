using Gatehouse.Delivery;
using Gatehouse.Keys;
using Gatehouse.Storage;
using Gatehouse.Throttling;

namespace Gatehouse.Challenges;

/// <summary>
/// What the outbox worker asks and tells about messages that carry a code: the code is derived just before each attempt, and
/// the outcome goes into the challenge with the row it settles.
/// </summary>
public sealed class ChallengeDelivery(
    Database database, ChallengeCodes codes, KeyRing keys, Throttle throttle, TimeProvider time, ChallengeOptions options)
{
    /// <summary>The value that ties a message to its challenge.</summary>
    internal const string IdField = "challenge_id";

    private static readonly Sql Find = new($"""
        SELECT {Challenge.Columns}
        FROM challenges AS mine JOIN challenges AS root ON root.challenge_id = mine.root_id
        WHERE mine.challenge_id = @id AND mine.alias_number = 0
        """);

    private static readonly Sql SetOutcome = new("""
        UPDATE challenges
        SET delivery_outcome = @outcome, challenge_status = CASE WHEN challenge_status = 'pending_send' THEN @status ELSE challenge_status END
        WHERE challenge_id = @id
        """);

    private static readonly Sql EndCooldown = new("""
        DELETE FROM throttles
        WHERE throttle_key = @cooldown
          AND NOT EXISTS (SELECT 1 FROM throttles AS used WHERE used.throttle_key = @giveBack AND used.tat > @now + @burst)
          AND NOT EXISTS (
              SELECT 1 FROM challenges AS later JOIN challenges AS mine ON mine.challenge_address = later.challenge_address
              WHERE mine.challenge_id = @id AND later.alias_number = 0 AND later.purpose = mine.purpose
                AND later.challenge_created_at > mine.challenge_created_at)
        """);

    /// <summary>The hooks for the worker.</summary>
    public DeliveryHooks Hooks => new() { Complete = Complete, Record = Record };

    // Whoever is blocked, was sent a code a moment ago, or confirmed already, gets no message.
    private async ValueTask<IReadOnlyDictionary<string, string>?> Complete(OutboxMessage message, CancellationToken ct)
    {
        if (!message.Data.TryGetValue(IdField, out var id))
        {
            return message.Data;
        }

        var challenge = await database.QueryOne(Find, Challenge.Read, ct, ("id", Guid.Parse(id)));
        return challenge?.StatusAt(time.Now()) is ChallengeStatus.PendingSend or ChallengeStatus.Sent or ChallengeStatus.Failed
            ? new Dictionary<string, string>(message.Data, StringComparer.Ordinal)
            {
                ["code"] = codes.Derive(challenge.RootId, challenge.Purpose, challenge.Address, challenge.Digits),
            }
            : null;
    }

    private void Record(Batch batch, DeliveredMessage delivered)
    {
        if (!delivered.Message.Data.TryGetValue(IdField, out var id))
        {
            return;
        }

        var (outcome, status) = delivered.Outcome switch
        {
            DeliveryOutcome.Sent => ("sent", ChallengeStatus.Sent),
            DeliveryOutcome.Suppressed => ("suppressed", ChallengeStatus.DeliverySuppressed),

            // The recipient may have the message after all, so its code stays good.
            DeliveryOutcome.Failure { BeforeData: false } => ("failure", ChallengeStatus.Sent),
            _ when delivered.IsFinal => ("failure", ChallengeStatus.Failed),
            _ => ("failure", ChallengeStatus.PendingSend),
        };
        batch.Add(SetOutcome, ("id", Guid.Parse(id)), ("outcome", outcome), ("status", status));
        if (delivered.Outcome is DeliveryOutcome.Failure { BeforeData: true })
        {
            GiveCooldownBack(batch, delivered.Message, Guid.Parse(id));
        }
    }

    // Certainly not sent: asking again at once is fair, but not so often that a broken mail server becomes a way around the cooldown,
    // nor when a later message has the cooldown by now.
    private void GiveCooldownBack(Batch batch, OutboxMessage message, Guid challengeId)
    {
        var hash = keys.HashAddress(message.Recipient);
        var giveBack = $"give-back:{hash}";
        batch.Add(
            EndCooldown,
            ("cooldown", SendCode.CooldownKey(ChallengePurpose.EmailSignIn, hash)),
            ("giveBack", giveBack),
            ("id", challengeId),
            ("now", time.Now()),
            ("burst", options.GiveBacks.Burst));
        throttle.Reserve(batch, giveBack, options.GiveBacks);
    }
}
