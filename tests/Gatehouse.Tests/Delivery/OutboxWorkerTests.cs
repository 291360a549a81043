using Gatehouse.Delivery;
using Gatehouse.Storage;
using Gatehouse.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Gatehouse.Tests.Delivery;

public sealed class OutboxWorkerTests
{
    private static readonly DeliveryOutcome Refused = new DeliveryOutcome.Failure(BeforeData: true, IsPermanent: false, "refused");
    private static readonly Sql DueAt = new("SELECT due_at FROM outbox");
    private static readonly Sql AddCounter = new("INSERT INTO counters (counter_name, counter_value) VALUES (@name, 1)");
    private static readonly Sql CountCounter = new("SELECT COUNT(*) FROM counters WHERE counter_name = @name");

    private readonly ManualTime time = new();
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    public async Task Two_workers_on_one_database_send_each_message_once(Engine engine)
    {
        const int messages = 60;
        await using var store = await TestDatabase.Create(engine);
        var sender = new RecordingSender();
        var (dbA, dbB) = (store.Open(), store.Open());
        var (outboxA, outboxB) = (NewOutbox(), NewOutbox());
        using var a = Worker(dbA, outboxA, sender);
        using var b = Worker(dbB, outboxB, sender);
        await a.StartAsync(ct);
        await b.StartAsync(ct);

        for (var i = 0; i < messages; i++)
        {
            var outbox = i % 2 == 0 ? outboxA : outboxB;
            await Put(i % 2 == 0 ? dbA : dbB, outbox, OutboxTests.Message($"user{i}@example.com"));
            outbox.Notify();
        }

        for (var i = 0; i < messages; i++)
        {
            await sender.Arrival(ct);
        }

        await a.StopAsync(ct);
        await b.StopAsync(ct);
        Assert.Equal(messages, sender.Sent.Select(m => m.To).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(messages, sender.Sent.Count);
        Assert.Equal(0, await OutboxTests.Count(dbA));
    }

    [Theory]
    [BothEngines]
    public async Task A_claimed_message_is_left_alone_until_its_lease_ends(Engine engine)
    {
        await using var store = await TestDatabase.Create(engine);
        var db = store.Open();
        await Put(db, NewOutbox(), OutboxTests.Message());
        var queue = new OutboxQueue(db, time);

        var first = Assert.Single(await queue.Claim(4, ct));
        Assert.Empty(await queue.Claim(4, ct));
        time.Advance(OutboxQueue.Lease);
        var second = Assert.Single(await queue.Claim(4, ct));

        Assert.Equal((1, 2), (first.Attempt, second.Attempt));
        Assert.Equal(first.Id, second.Id);
        Assert.Equal("123456", second.Message.Data["code"]);
    }

    [Fact]
    public async Task A_failed_message_is_tried_again_after_growing_waits_and_then_given_up()
    {
        await using var store = await TestDatabase.Create(Engine.Sqlite);
        var db = store.Open();
        var sender = RecordingSender.Answering(Refused);
        var recorded = new List<DeliveredMessage>();
        using var worker = Worker(db, NewOutbox(), sender, new DeliveryHooks { Record = (_, delivered) => recorded.Add(delivered) });
        await Put(db, NewOutbox(), OutboxTests.Message());

        var waits = new List<double>();
        for (var attempt = 1; attempt < OutboxWorker.MaxAttempts; attempt++)
        {
            Assert.Equal(1, await worker.RunOnce(ct));
            Assert.Equal(0, await worker.RunOnce(ct));
            var wait = TimeSpan.FromMilliseconds(await db.QueryOne(DueAt, row => row.Long(0), ct) - time.Now());
            waits.Add(wait.TotalSeconds);
            time.Advance(wait);
        }

        Assert.Equal(1, await worker.RunOnce(ct));
        Assert.Equal(0, await OutboxTests.Count(db));
        Assert.Collection(
            waits,
            wait => Assert.InRange(wait, 12, 18),
            wait => Assert.InRange(wait, 36, 54),
            wait => Assert.InRange(wait, 108, 162),
            wait => Assert.InRange(wait, 324, 486));
        Assert.Equal(OutboxWorker.MaxAttempts, sender.Sent.Count);
        Assert.Single(sender.Sent.Select(m => m.Id).Distinct());
        Assert.Equal([false, false, false, false, true], recorded.Select(r => r.IsFinal));
        Assert.All(recorded, r => Assert.Equal(Refused, r.Outcome));
    }

    [Fact]
    public async Task A_running_worker_wakes_by_itself_when_a_retry_falls_due()
    {
        await using var store = await TestDatabase.Create(Engine.Sqlite);
        var db = store.Open();
        var outbox = NewOutbox();
        var sender = RecordingSender.Answering(Refused, new DeliveryOutcome.Sent());
        using var worker = Worker(db, outbox, sender);
        await worker.StartAsync(ct);
        await Put(db, outbox, OutboxTests.Message());
        outbox.Notify();
        await sender.Arrival(ct);

        // The worker may look at the clock before or after a step, so the clock goes on until the retry has arrived.
        var retry = sender.Arrival(ct);
        await Eventually.Holds(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return retry.IsCompleted;
        });
        await retry;
        await worker.StopAsync(ct);
        Assert.Equal(0, await OutboxTests.Count(db));
    }

    [Fact]
    public async Task A_permanent_failure_is_not_tried_again()
    {
        await using var store = await TestDatabase.Create(Engine.Sqlite);
        var db = store.Open();
        var sender = RecordingSender.Answering(new DeliveryOutcome.Failure(BeforeData: true, IsPermanent: true, "no such mailbox"));
        using var worker = Worker(db, NewOutbox(), sender);
        await Put(db, NewOutbox(), OutboxTests.Message());

        await worker.RunOnce(ct);

        Assert.Equal(0, await OutboxTests.Count(db));
    }

    [Fact]
    public async Task An_expired_message_is_not_sent_and_one_that_would_expire_while_waiting_is_given_up()
    {
        await using var store = await TestDatabase.Create(Engine.Sqlite);
        var db = store.Open();
        var sender = RecordingSender.Answering(Refused);
        var recorded = new List<DeliveredMessage>();
        using var worker = Worker(db, NewOutbox(), sender, new DeliveryHooks { Record = (_, delivered) => recorded.Add(delivered) });
        await Put(db, NewOutbox(), OutboxTests.Message("late@example.com", time.Now()));
        await Put(db, NewOutbox(), OutboxTests.Message("soon@example.com", time.Now() + 5_000));

        await worker.RunOnce(ct);

        Assert.Equal("soon@example.com", Assert.Single(sender.Sent).To);
        Assert.Equal(0, await OutboxTests.Count(db));
        Assert.All(recorded, r => Assert.True(r.IsFinal));
        Assert.Contains(recorded, r => r.Outcome is DeliveryOutcome.Expired && r.Message.Recipient == "late@example.com");
    }

    [Fact]
    public async Task A_code_is_completed_at_send_time_and_a_message_without_values_is_suppressed()
    {
        await using var store = await TestDatabase.Create(Engine.Sqlite);
        var db = store.Open();
        var sender = new RecordingSender();
        var outcomes = new List<DeliveryOutcome>();
        using var worker = Worker(db, NewOutbox(), sender, new DeliveryHooks
        {
            Complete = (message, _) => new(message.Recipient.StartsWith("blocked", StringComparison.Ordinal)
                ? null
                : new Dictionary<string, string>(message.Data, StringComparer.Ordinal) { ["code"] = "654321" }),
            Record = (_, delivered) => outcomes.Add(delivered.Outcome),
        });
        await Put(db, NewOutbox(), OutboxTests.Message("blocked@example.com"));
        await Put(db, NewOutbox(), OutboxTests.Message());

        await worker.RunOnce(ct);

        var sent = Assert.Single(sender.Sent);
        Assert.Equal("654321", sent.Code);
        Assert.Contains("654321", sent.Text.Text, StringComparison.Ordinal);
        Assert.Contains(new DeliveryOutcome.Suppressed(), outcomes);
        Assert.Contains(new DeliveryOutcome.Sent(), outcomes);
        Assert.Equal(0, await OutboxTests.Count(db));
    }

    [Theory]
    [BothEngines]
    public async Task What_the_hook_records_commits_together_with_the_end_of_the_message(Engine engine)
    {
        await using var store = await TestDatabase.Create(engine);
        var db = store.Open();
        using var worker = Worker(db, NewOutbox(), new RecordingSender(), new DeliveryHooks
        {
            Record = (batch, delivered) => batch.Add(AddCounter, ("name", delivered.Outcome.GetType().Name)),
        });
        await Put(db, NewOutbox(), OutboxTests.Message());

        await worker.RunOnce(ct);

        Assert.Equal(1, await db.QueryOne(CountCounter, row => row.Long(0), ct, ("name", "Sent")));
        Assert.Equal(0, await OutboxTests.Count(db));
    }

    [Fact]
    public async Task Interrupted_attempts_count_so_that_a_message_cannot_crash_the_process_for_ever()
    {
        await using var store = await TestDatabase.Create(Engine.Sqlite);
        var db = store.Open();
        var sender = new RecordingSender((_, _) => throw new InvalidOperationException("a bug"));
        using var worker = Worker(db, NewOutbox(), sender);
        await Put(db, NewOutbox(), OutboxTests.Message());

        for (var i = 0; i <= OutboxWorker.MaxAttempts; i++)
        {
            Assert.Equal(1, await worker.RunOnce(ct));
            time.Advance(OutboxQueue.Lease);
        }

        Assert.Equal(OutboxWorker.MaxAttempts, sender.Sent.Count);
        Assert.Equal(0, await OutboxTests.Count(db));
    }

    [Fact]
    public async Task Stopping_lets_a_message_that_is_half_sent_arrive()
    {
        await using var store = await TestDatabase.Create(Engine.Sqlite);
        var db = store.Open();
        var outbox = NewOutbox();
        var answer = new TaskCompletionSource<DeliveryOutcome>();
        var sender = new RecordingSender((_, sendingCt) => answer.Task.WaitAsync(sendingCt));
        using var worker = Worker(db, outbox, sender);
        await worker.StartAsync(ct);
        await Put(db, outbox, OutboxTests.Message());
        outbox.Notify();
        await sender.Arrival(ct);

        var stop = worker.StopAsync(ct);
        Assert.False(stop.IsCompleted);
        answer.SetResult(new DeliveryOutcome.Sent());
        await stop;

        Assert.Equal(0, await OutboxTests.Count(db));
    }

    private async Task Put(Database db, Outbox outbox, OutboxMessage message)
    {
        var batch = new Batch();
        outbox.Add(batch, message);
        await db.Run(batch, ct);
    }

    private Outbox NewOutbox() => new(time, new Randomness(time));

    private OutboxWorker Worker(Database db, Outbox outbox, IMailSender sender, DeliveryHooks? hooks = null) =>
        new(db, outbox, sender, time, new Randomness(time), NullLogger<OutboxWorker>.Instance, sms: null, hooks);
}
