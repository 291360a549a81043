using Microsoft.Extensions.Logging;

namespace Gatehouse.Delivery;

/// <summary>What delivery writes to the log: ids and template names, never recipients or texts.</summary>
internal static partial class DeliveryLog
{
    [LoggerMessage(2101, LogLevel.Debug, "Message {MessageId} ({Template}): {Outcome}.")]
    public static partial void Done(this ILogger logger, Guid messageId, string template, string outcome);

    [LoggerMessage(2102, LogLevel.Warning, "Message {MessageId} ({Template}) failed in attempt {Attempt} and will be tried again: {Reason}.")]
    public static partial void WillRetry(this ILogger logger, Guid messageId, string template, int attempt, string reason);

    [LoggerMessage(2103, LogLevel.Error, "Message {MessageId} ({Template}) is given up after attempt {Attempt}: {Reason}.")]
    public static partial void GaveUp(this ILogger logger, Guid messageId, string template, int attempt, string reason);

    [LoggerMessage(2104, LogLevel.Warning, "Message {MessageId} ({Template}) could not be sent before its time had passed.")]
    public static partial void Expired(this ILogger logger, Guid messageId, string template);

    [LoggerMessage(2105, LogLevel.Error, "Message {MessageId} ({Template}) cannot be rendered.")]
    public static partial void CannotRender(this ILogger logger, Exception error, Guid messageId, string template);

    [LoggerMessage(2106, LogLevel.Error, "Message {MessageId} ({Template}): the attempt went wrong; it is repeated when its lease ends.")]
    public static partial void AttemptFailed(this ILogger logger, Exception error, Guid messageId, string template);

    [LoggerMessage(2107, LogLevel.Warning, "Message {MessageId}: sending was broken off by the stop; it is repeated when its lease ends.")]
    public static partial void BrokenOff(this ILogger logger, Guid messageId);

    [LoggerMessage(2108, LogLevel.Error, "The outbox cannot be read now.")]
    public static partial void CannotReadOutbox(this ILogger logger, Exception error);
}
