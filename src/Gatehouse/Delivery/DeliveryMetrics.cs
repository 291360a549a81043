using System.Diagnostics.Metrics;

namespace Gatehouse.Delivery;

/// <summary>Counts attempts by channel, template and outcome (<c>sent</c>, <c>suppressed</c>, <c>expired</c>, <c>retried</c>, <c>failed</c>).</summary>
internal static class DeliveryMetrics
{
    public const string MeterName = "Gatehouse.Delivery";

    private static readonly Meter Meter = new(MeterName);
    private static readonly Counter<long> Attempts =
        Meter.CreateCounter<long>("gatehouse.delivery.attempts", "{attempt}", "Attempts to deliver a message.");

    public static void Count(OutboxMessage message, DeliveryOutcome outcome, bool isRetried) => Attempts.Add(
        1,
        new KeyValuePair<string, object?>("channel", OutboxQueue.Name(message.Channel)),
        new KeyValuePair<string, object?>("template", message.Template),
        new KeyValuePair<string, object?>("outcome", outcome switch
        {
            DeliveryOutcome.Sent => "sent",
            DeliveryOutcome.Suppressed => "suppressed",
            DeliveryOutcome.Expired => "expired",
            _ => isRetried ? "retried" : "failed",
        }));
}
