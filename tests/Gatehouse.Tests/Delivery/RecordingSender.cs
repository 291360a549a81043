using System.Collections.Concurrent;
using System.Threading.Channels;
using Gatehouse.Delivery;

namespace Gatehouse.Tests.Delivery;

/// <summary>Keeps what it is given and answers as the test says.</summary>
internal sealed class RecordingSender(Func<OutgoingMessage, CancellationToken, Task<DeliveryOutcome>>? answer = null) : IMailSender
{
    private readonly ConcurrentQueue<OutgoingMessage> sent = new();
    private readonly Channel<OutgoingMessage> arrivals = Channel.CreateUnbounded<OutgoingMessage>();

    public IReadOnlyCollection<OutgoingMessage> Sent => sent;

    public static RecordingSender Answering(params DeliveryOutcome[] outcomes)
    {
        var next = -1;
        return new RecordingSender((_, _) => Task.FromResult(outcomes[Math.Min(Interlocked.Increment(ref next), outcomes.Length - 1)]));
    }

    public Task<DeliveryOutcome> SendMail(OutgoingMessage message, CancellationToken ct)
    {
        sent.Enqueue(message);
        arrivals.Writer.TryWrite(message);
        return answer is null ? Task.FromResult<DeliveryOutcome>(new DeliveryOutcome.Sent()) : answer(message, ct);
    }

    /// <summary>Waits until a further message has arrived.</summary>
    public Task<OutgoingMessage> Arrival(CancellationToken ct) =>
        arrivals.Reader.ReadAsync(ct).AsTask().WaitAsync(TimeSpan.FromSeconds(30), ct);
}
