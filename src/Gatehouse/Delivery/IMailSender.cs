namespace Gatehouse.Delivery;

/// <summary>
/// A rendered message on its way out. <paramref name="Id"/> is the same in every attempt; <paramref name="Code"/> is the one-time
/// code in it, if any.
/// </summary>
public sealed record OutgoingMessage(Guid Id, string To, MessageText Text, string? Code);

/// <summary>Hands mail to the next server, or keeps it for a developer to read.</summary>
public interface IMailSender
{
    /// <summary>Sends one mail; expected failures are outcomes, not exceptions.</summary>
    Task<DeliveryOutcome> SendMail(OutgoingMessage message, CancellationToken ct);
}

/// <summary>Hands text messages to a provider, or keeps them for a developer to read.</summary>
public interface ISmsSender
{
    /// <summary>Sends one text message; expected failures are outcomes, not exceptions.</summary>
    Task<DeliveryOutcome> SendSms(OutgoingMessage message, CancellationToken ct);
}
