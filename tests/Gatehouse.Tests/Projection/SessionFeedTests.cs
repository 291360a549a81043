using Gatehouse.Projection;
using Gatehouse.Sessions;
using Gatehouse.Storage;
using Gatehouse.Testing;
using Gatehouse.Tests.Sessions;
using Gatehouse.Tests.Storage;
using Xunit;

namespace Gatehouse.Tests.Projection;

public sealed class SessionFeedTests
{
    private static readonly Sql CountRows = new("SELECT count(*) FROM session_feed");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    public async Task A_revoke_by_another_process_is_read_exactly_once(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var (node, other) = (fixture.Node, await fixture.StartAnother());
        var opened = await node.OpenForNewUser();
        await node.Feed.Start(Ct);
        Assert.Empty(await node.ReadFeed());

        var ended = Assert.Single(await other.End(opened.Session.SessionId));

        Assert.Equal(ended, Assert.Single(await node.ReadFeed()));
        Assert.Empty(await node.ReadFeed());
    }

    [Theory]
    [BothEngines]
    public async Task What_many_processes_change_at_once_is_read_once_each(Engine engine)
    {
        const int writers = 8;
        const int changes = 25;
        await using var fixture = await SessionFixture.Create(engine);
        var snapshot = (await fixture.Node.OpenForNewUser()).Session;
        SessionNode[] nodes = [fixture.Node, await fixture.StartAnother()];
        var feed = (await fixture.StartAnother()).Feed;
        await feed.Start(Ct);
        var seen = new List<long>();

        var writing = Together.Run(writers, async writer =>
        {
            for (var i = 0; i < changes; i++)
            {
                await Publish(nodes[writer % 2].Database, snapshot, (writer * changes) + i);
            }

            return true;
        });
        while (!writing.IsCompleted)
        {
            seen.AddRange((await feed.Read(withHeartbeat: false, Ct)).Changes.Select(s => s.Version));
        }

        await writing;
        seen.AddRange((await feed.Read(withHeartbeat: false, Ct)).Changes.Select(s => s.Version));
        Assert.Equal(Enumerable.Range(0, writers * changes).Select(i => (long)i), seen.Order());
    }

    [Fact]
    public async Task On_PostgreSQL_transactions_held_open_while_others_commit_are_read_once_and_none_late()
    {
        await using var fixture = await SessionFixture.Create(Engine.Postgres);
        var node = fixture.Node;
        var snapshot = (await node.OpenForNewUser()).Session;
        await node.Feed.Start(Ct);
        var (first, second) = (await Begin(fixture.Raw, snapshot, 1), await Begin(fixture.Raw, snapshot, 2));
        await Reads();

        await Publish(fixture.Raw, snapshot, 3);
        await Reads(3);
        await second.Commit();
        await Reads(2);
        var third = await Begin(fixture.Raw, snapshot, 4);
        await Publish(fixture.Raw, snapshot, 5);
        await Reads(5);
        await Reads();
        await first.Commit();
        await Publish(fixture.Raw, snapshot, 6);
        await Reads(1, 6);
        await third.Commit();
        await Reads(4);
        await Reads();

        async Task Reads(params long[] versions) => Assert.Equal(versions, (await node.ReadFeed()).Select(s => s.Version).Order());
    }

    [Fact]
    public async Task On_SQLite_changes_are_read_in_the_order_they_were_made()
    {
        await using var fixture = await SessionFixture.Create(Engine.Sqlite);
        var snapshot = (await fixture.Node.OpenForNewUser()).Session;
        await fixture.Node.Feed.Start(Ct);
        for (var version = 1; version <= 100; version++)
        {
            await Publish(fixture.Raw, snapshot, version);
        }

        var read = await fixture.Node.ReadFeed();

        Assert.Equal(Enumerable.Range(1, 100).Select(i => (long)i), read.Select(s => s.Version));
    }

    [Theory]
    [BothEngines]
    public async Task Old_rows_go_and_a_reader_that_saw_them_goes_on(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var node = fixture.Node;
        await node.Feed.Start(Ct);
        var opened = await node.OpenForNewUser();
        fixture.Time.Advance(SessionFeed.Kept);
        await node.Feed.RemoveOld(Ct);
        Assert.Equal(1, await fixture.Count(CountRows));
        Assert.Single(await node.ReadFeed());

        fixture.Time.Advance(TimeSpan.FromMilliseconds(1));
        await node.Feed.RemoveOld(Ct);
        Assert.Equal(0, await fixture.Count(CountRows));

        await node.End(opened.Session.SessionId);
        Assert.Equal(SessionStatus.Revoked, Assert.Single(await node.ReadFeed()).Status);

        // Nor does a reader that starts on an emptied feed miss what comes after.
        await fixture.Raw.Execute(new Sql("DELETE FROM session_feed"), Ct);
        var late = await fixture.StartAnother();
        await late.Feed.Start(Ct);
        Assert.Empty(await late.ReadFeed());
        await node.OpenForNewUser();
        Assert.Single(await late.ReadFeed());
    }

    private static Task<OpenTransaction> Begin(Database db, SessionSnapshot snapshot, long version) =>
        OpenTransaction.Begin(db, tx => Publish(tx, snapshot, version));

    private static Task Publish(Statements db, SessionSnapshot snapshot, long version)
    {
        var batch = new Batch();
        new StoreProjection(null!).Stage(batch, snapshot with { Version = version }, now: 0);
        return db.Run(batch, Ct);
    }
}
