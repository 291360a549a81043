using Gatehouse.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Gatehouse.Delivery;

/// <summary>
/// Sends what is in the outbox, at least once each, a few at a time. Any number of processes may run it on one database.
/// </summary>
public sealed class OutboxWorker(
    Database db,
    Outbox outbox,
    IMailSender mail,
    TimeProvider time,
    Randomness randomness,
    ILogger<OutboxWorker> logger,
    ISmsSender? sms = null,
    DeliveryHooks? hooks = null) : BackgroundService
{
    /// <summary>How often a message is tried before it is given up, some ten minutes after the first attempt.</summary>
    public const int MaxAttempts = 5;

    /// <summary>How many messages one process sends at once.</summary>
    public const int MaxParallel = 4;

    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(5);

    private readonly OutboxQueue queue = new(db, time);
    private readonly DeliveryHooks hooks = hooks ?? new DeliveryHooks();

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Stopping ends the claiming at once, but lets a message that is half sent arrive: breaking off would send it twice.
        using var breakOff = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        await using var _ = stoppingToken.Register(() => breakOff.CancelAfter(StopGrace));
        var sending = new List<Task>(MaxParallel);
        while (!stoppingToken.IsCancellationRequested)
        {
            var wakeUp = outbox.Arm();
            var wait = await Fill(sending, stoppingToken, breakOff.Token);
            await (sending.Count == MaxParallel ? Task.WhenAny(sending) : Sleep(wakeUp, wait, stoppingToken));
            sending.RemoveAll(task => task.IsCompleted);
        }

        await Task.WhenAll(sending);
    }

    /// <summary>Sends what is due now, up to <see cref="MaxParallel"/> messages, and returns how many it tried.</summary>
    internal async Task<int> RunOnce(CancellationToken ct)
    {
        var claimed = await queue.Claim(MaxParallel, ct);
        await Task.WhenAll(claimed.Select(message => Deliver(message, ct)));
        return claimed.Count;
    }

    /// <summary>Starts on due messages until all slots are taken; returns how long there will be nothing more to do.</summary>
    private async Task<TimeSpan> Fill(List<Task> sending, CancellationToken ct, CancellationToken breakOff)
    {
        try
        {
            // Reading first keeps an idle process away from SQLite's writer.
            if (await queue.NextDue(ct) is { } first && first <= time.Now())
            {
                foreach (var claimed in await queue.Claim(MaxParallel - sending.Count, ct))
                {
                    sending.Add(Deliver(claimed, breakOff));
                }
            }

            var wait = await queue.NextDue(ct) is { } next ? TimeSpan.FromMilliseconds(next - time.Now()) : Poll;
            return wait < ShortestWait ? ShortestWait : wait > Poll ? Poll : wait;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return ShortestWait;
        }
        catch (Exception e)
        {
            logger.CannotReadOutbox(e);
            return Poll;
        }
    }

    private async Task Sleep(Task wakeUp, TimeSpan wait, CancellationToken ct)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await Task.WhenAny(wakeUp, Task.Delay(wait, time, over.Token));
        await over.CancelAsync();
    }

    /// <summary>One attempt: send, then settle. Whatever goes wrong here, the row falls due again when its lease ends.</summary>
    private async Task Deliver(ClaimedMessage claimed, CancellationToken ct)
    {
        try
        {
            await Settle(claimed, await Attempt(claimed, ct));
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            logger.BrokenOff(claimed.Id);
        }
        catch (Exception e)
        {
            logger.AttemptFailed(e, claimed.Id, claimed.Message.Template);
        }
    }

    private async Task<DeliveryOutcome> Attempt(ClaimedMessage claimed, CancellationToken ct)
    {
        var message = claimed.Message;
        if (message.ExpiresAt <= time.Now())
        {
            return new DeliveryOutcome.Expired();
        }

        // Only a process that dies while sending lets a row come back more often than this.
        if (claimed.Attempt > MaxAttempts)
        {
            return new DeliveryOutcome.Failure(BeforeData: false, IsPermanent: true, "too many interrupted attempts");
        }

        var data = hooks.Complete is null ? message.Data : await hooks.Complete(message, ct);
        if (data is null)
        {
            return new DeliveryOutcome.Suppressed();
        }

        MessageText text;
        try
        {
            text = MessageTemplates.Render(message.Template, message.Language, data);
        }
        catch (ArgumentException e)
        {
            logger.CannotRender(e, claimed.Id, message.Template);
            return new DeliveryOutcome.Failure(BeforeData: true, IsPermanent: true, "cannot be rendered");
        }

        var outgoing = new OutgoingMessage(claimed.Id, message.Recipient, text, data.GetValueOrDefault("code"));
        return message.Channel switch
        {
            MessageChannel.Mail => await mail.SendMail(outgoing, ct),
            _ when sms is not null && text.Sms is not null => await sms.SendSms(outgoing, ct),
            _ => new DeliveryOutcome.Failure(BeforeData: true, IsPermanent: true, "cannot go by SMS"),
        };
    }

    private async Task Settle(ClaimedMessage claimed, DeliveryOutcome outcome)
    {
        var retryAt = outcome is DeliveryOutcome.Failure { IsPermanent: false } && claimed.Attempt < MaxAttempts
            ? time.Now() + RetryDelay(claimed.Attempt).Milliseconds()
            : (long?)null;
        if (retryAt >= claimed.Message.ExpiresAt)
        {
            retryAt = null;
        }

        var batch = new Batch();
        if (retryAt is { } due)
        {
            OutboxQueue.Retry(batch, claimed, due);
        }
        else
        {
            OutboxQueue.Finish(batch, claimed);
        }

        hooks.Record?.Invoke(batch, new DeliveredMessage(claimed.Id, claimed.Message, claimed.Attempt, outcome, IsFinal: retryAt is null));

        // Not cancelled by a stop: what was sent must not be forgotten.
        await db.Run(batch, CancellationToken.None);
        Report(claimed, outcome, retryAt is not null);
    }

    private void Report(ClaimedMessage claimed, DeliveryOutcome outcome, bool isRetried)
    {
        var (id, attempt, message) = claimed;
        DeliveryMetrics.Count(message, outcome, isRetried);
        switch (outcome)
        {
            case DeliveryOutcome.Failure failure when isRetried:
                logger.WillRetry(id, message.Template, attempt, failure.Reason);
                break;
            case DeliveryOutcome.Failure failure:
                logger.GaveUp(id, message.Template, attempt, failure.Reason);
                break;
            case DeliveryOutcome.Expired:
                logger.Expired(id, message.Template);
                break;
            default:
                logger.Done(id, message.Template, outcome is DeliveryOutcome.Sent ? "sent" : "suppressed");
                break;
        }
    }

    /// <summary>15 s, 45 s, 135 s, 405 s, each give or take a fifth so that retries after an outage do not come in one wave.</summary>
    private TimeSpan RetryDelay(int attempt)
    {
        var jitter = 0.8 + (0.4 * randomness.Bytes(1)[0] / byte.MaxValue);
        return FirstRetry * Math.Pow(3, attempt - 1) * jitter;
    }
}
