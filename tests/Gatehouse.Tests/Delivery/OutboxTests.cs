using Gatehouse.Delivery;
using Gatehouse.Storage;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Tests.Delivery;

public sealed class OutboxTests
{
    private static readonly Dictionary<string, string> Code = new(StringComparer.Ordinal) { ["code"] = "123456", ["minutes"] = "10" };
    private static readonly Sql AddCounter = new("INSERT INTO counters (counter_name, counter_value) VALUES (@name, 1)");
    private static readonly Sql CountRows = new("SELECT COUNT(*) FROM outbox");

    internal static OutboxMessage Message(string to = "ada@example.com", long? expiresAt = null) => new(
        MessageChannel.Mail, to, "sign_in_code", "en", Code)
    {
        ExpiresAt = expiresAt,
    };

    internal static Task<long> Count(Database db) => db.QueryOne(CountRows, row => row.Long(0), TestContext.Current.CancellationToken);

    [Theory]
    [BothEngines]
    public async Task A_message_is_there_once_its_change_has_committed(Engine engine)
    {
        var ct = TestContext.Current.CancellationToken;
        await using var store = await TestDatabase.Create(engine);
        var db = store.Open();
        var time = new ManualTime();
        var batch = new Batch().Add(AddCounter, ("name", "a change"));

        new Outbox(time, new Randomness(time)).Add(batch, Message());
        Assert.Equal(0, await Count(db));
        await db.Run(batch, ct);

        Assert.Equal(1, await Count(db));
    }

    [Theory]
    [BothEngines]
    public async Task A_message_is_gone_with_the_rollback_of_its_change(Engine engine)
    {
        var ct = TestContext.Current.CancellationToken;
        await using var store = await TestDatabase.Create(engine);
        var db = store.Open();
        var time = new ManualTime();
        var batch = new Batch();
        new Outbox(time, new Randomness(time)).Add(batch, Message());
        batch.Add(AddCounter, ("name", "twice")).Add(AddCounter, ("name", "twice"));

        await Assert.ThrowsAnyAsync<Exception>(() => db.Run(batch, ct));

        Assert.Equal(0, await Count(db));
    }

    [Fact]
    public void A_notification_before_the_wait_is_not_lost_and_many_count_as_one()
    {
        var time = new ManualTime();
        var outbox = new Outbox(time, new Randomness(time));
        var first = outbox.Arm();
        Assert.False(first.IsCompleted);

        outbox.Notify();
        outbox.Notify();

        Assert.True(first.IsCompleted);
        Assert.False(outbox.Arm().IsCompleted);
    }
}
