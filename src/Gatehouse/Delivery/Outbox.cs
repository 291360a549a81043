using System.Text.Json;
using System.Text.Json.Serialization;
using Gatehouse.Storage;

namespace Gatehouse.Delivery;

/// <summary>How a message reaches its recipient.</summary>
public enum MessageChannel
{
    /// <summary>E-mail; the recipient is an address.</summary>
    Mail,

    /// <summary>Text message; the recipient is a phone number in E.164.</summary>
    Sms,
}

/// <summary>
/// A message that a change owes somebody. <paramref name="Data"/> fills the template; it is stored until the message is sent, so
/// secrets stay out of it (see <see cref="DeliveryHooks.Complete"/>).
/// </summary>
public sealed record OutboxMessage(
    MessageChannel Channel, string Recipient, string Template, string Language, IReadOnlyDictionary<string, string> Data)
{
    /// <summary>Unix milliseconds from which the message is useless and no longer sent; null means never.</summary>
    public long? ExpiresAt { get; init; }
}

/// <summary>Where use cases put messages: the row commits with the change, and <see cref="OutboxWorker"/> sends it afterwards.</summary>
public sealed class Outbox(TimeProvider time, Randomness randomness)
{
    private static readonly Sql Insert = new("""
        INSERT INTO outbox (message_id, channel, recipient, template, language, message_data, send_attempts, due_at, queued_at, message_expires_at)
        VALUES (@id, @channel, @recipient, @template, @language, @data, 0, @now, @now, @expires)
        """);

    private TaskCompletionSource signal = NewSignal();

    /// <summary>Adds the message to the change's own transaction and returns its id.</summary>
    public Guid Add(Batch batch, OutboxMessage message)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(message);
        var id = randomness.NewId();
        batch.Add(
            Insert,
            ("id", id),
            ("channel", OutboxQueue.Name(message.Channel)),
            ("recipient", message.Recipient),
            ("template", message.Template),
            ("language", message.Language),
            ("data", JsonSerializer.Serialize(message.Data, OutboxJson.Default.IReadOnlyDictionaryStringString)),
            ("now", time.Now()),
            ("expires", message.ExpiresAt));
        return id;
    }

    /// <summary>Wakes the worker once the change has committed; without it the message waits for the next poll.</summary>
    public void Notify() => Volatile.Read(ref signal).TrySetResult();

    /// <summary>A task that the next <see cref="Notify"/> completes. Armed before looking for rows, so that no wake-up is lost.</summary>
    internal Task Arm()
    {
        if (signal.Task.IsCompleted)
        {
            Volatile.Write(ref signal, NewSignal());
        }

        return signal.Task;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

[JsonSerializable(typeof(IReadOnlyDictionary<string, string>))]
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class OutboxJson : JsonSerializerContext;
