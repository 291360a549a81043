using Gatehouse.Audit;
using Gatehouse.Storage;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Tests.Audit;

public sealed class ReadAuditTests
{
    private readonly ManualTime time = new();
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    public async Task Events_are_read_in_order_and_on_from_a_cursor(Engine engine)
    {
        await using var database = await TestDatabase.Create(engine);
        var (log, read) = Open(database.Open());
        var user = new Randomness(time).NewId();
        await Write(log, "one", user);
        await Write(log, "two");
        await Write(log, "three", user);

        var newest = await read.Newest(null, 2, ct);
        var first = Assert.Single(await read.After(Guid.Empty, null, 1, ct));

        Assert.Equal(["two", "three"], newest.Select(row => row.Action));
        Assert.Equal("one", first.Action);
        Assert.Equal(["two", "three"], (await read.After(first.Id, null, 10, ct)).Select(row => row.Action));
        Assert.Equal(["three"], (await read.After(first.Id, user, 10, ct)).Select(row => row.Action));
        Assert.Equal(["one", "three"], (await read.Newest(user, 10, ct)).Select(row => row.Action));
        Assert.Empty(await read.After(newest[^1].Id, null, 10, ct));
    }

    [Theory]
    [BothEngines]
    public async Task A_follower_gets_each_event_once_also_one_that_commits_late(Engine engine)
    {
        await using var database = await TestDatabase.Create(engine);
        var store = database.Open();
        var (log, read) = Open(store);
        await Write(log, "left out");
        await Write(log, "old");

        // Made now, committed after what is made later.
        var late = new Batch();
        log.Add(late, Event("late"));
        time.Advance(TimeSpan.FromSeconds(2));
        await using var events = read.Follow(null, 1, ct).GetAsyncEnumerator(ct);
        Assert.True(await events.MoveNextAsync());
        Assert.Equal("old", events.Current.Action);

        Assert.Equal("new", await Next(events, () => Write(log, "new")));
        Assert.Equal("late", await Next(events, () => store.Run(late, ct)));
        Assert.Equal("last", await Next(events, () => Write(log, "last")));
    }

    private async Task<string> Next(IAsyncEnumerator<AuditRow> events, Func<Task> write)
    {
        await write();
        var next = events.MoveNextAsync().AsTask();
        time.Advance(ReadAudit.PollInterval);
        Assert.True(await next);
        return events.Current.Action;
    }

    private (AuditLog Log, ReadAudit Read) Open(Database database) =>
        (new AuditLog(database, new Randomness(time), time), new ReadAudit(database, time));

    private async Task Write(AuditLog log, string action, Guid? user = null)
    {
        time.Advance(TimeSpan.FromMilliseconds(1));
        await log.Write(Event(action) with { UserId = user }, ct);
    }

    private static AuditEvent Event(string action) => new(action, "success", Actor.System, Origin.CommandLine);
}
