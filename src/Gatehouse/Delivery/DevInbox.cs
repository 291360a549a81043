namespace Gatehouse.Delivery;

/// <summary>A message as a developer reads it.</summary>
public sealed record DevMessage(MessageChannel Channel, string To, string? Subject, string Body, string? Code, DateTimeOffset SentAt);

/// <summary>Development's mailbox and phone: keeps the latest messages in memory instead of sending them.</summary>
public sealed class DevInbox(TimeProvider time) : IMailSender, ISmsSender
{
    /// <summary>How many messages it keeps; older ones make room.</summary>
    public const int Capacity = 500;

    private readonly Lock gate = new();
    private readonly Queue<DevMessage> messages = new();

    /// <inheritdoc/>
    public Task<DeliveryOutcome> SendMail(OutgoingMessage message, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(message);
        return Keep(new DevMessage(MessageChannel.Mail, message.To, message.Text.Subject, message.Text.Text, message.Code, time.GetUtcNow()));
    }

    /// <inheritdoc/>
    public Task<DeliveryOutcome> SendSms(OutgoingMessage message, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(message);
        var body = message.Text.Sms ?? throw new ArgumentException("The template has no text for SMS.", nameof(message));
        return Keep(new DevMessage(MessageChannel.Sms, message.To, Subject: null, body, message.Code, time.GetUtcNow()));
    }

    /// <summary>The messages kept, newest first; of one recipient, or of all.</summary>
    public IReadOnlyList<DevMessage> Messages(string? to)
    {
        lock (gate)
        {
            return [.. messages.Where(m => to is null || m.To.Equals(to, StringComparison.OrdinalIgnoreCase)).Reverse()];
        }
    }

    private Task<DeliveryOutcome> Keep(DevMessage message)
    {
        lock (gate)
        {
            if (messages.Count == Capacity)
            {
                messages.Dequeue();
            }

            messages.Enqueue(message);
        }

        return Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Sent());
    }
}
