using Gatehouse.Storage;

namespace Gatehouse.Delivery;

/// <summary>What became of one attempt to deliver a message.</summary>
public abstract record DeliveryOutcome
{
    private DeliveryOutcome()
    {
    }

    /// <summary>The next server took responsibility for it.</summary>
    public sealed record Sent : DeliveryOutcome;

    /// <summary>Deliberately not sent.</summary>
    public sealed record Suppressed : DeliveryOutcome;

    /// <summary>Not sent, because its time had passed.</summary>
    public sealed record Expired : DeliveryOutcome;

    /// <summary>
    /// It failed. With <paramref name="BeforeData"/> the content was certainly not handed over; otherwise the outcome is unknown and
    /// the recipient may have it. A permanent failure is not tried again. The reason names no address and quotes no server.
    /// </summary>
    public sealed record Failure(bool BeforeData, bool IsPermanent, string Reason) : DeliveryOutcome;
}

/// <summary>One attempt and its outcome; <paramref name="IsFinal"/> unless a further attempt follows.</summary>
public sealed record DeliveredMessage(Guid Id, OutboxMessage Message, int Attempt, DeliveryOutcome Outcome, bool IsFinal);

/// <summary>What a feature adds to the delivery of its messages; nothing by default.</summary>
public sealed record DeliveryHooks
{
    /// <summary>
    /// Gives the values a message is rendered with, just before each attempt: a code is derived here, so that it is stored nowhere.
    /// Null suppresses the message.
    /// </summary>
    public Func<OutboxMessage, CancellationToken, ValueTask<IReadOnlyDictionary<string, string>?>>? Complete { get; init; }

    /// <summary>Adds to the transaction that settles an attempt, so that its outcome and the outbox row change together.</summary>
    public Action<Batch, DeliveredMessage>? Record { get; init; }
}
