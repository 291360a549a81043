using Gatehouse.Storage;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Tests.Storage;

public sealed class SqliteWriterTests
{
    private const int QueueLimit = 4096;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_command_that_fails_leaves_the_others_of_its_group_durable()
    {
        await using var scratch = await ScratchTable.Create(Engine.Sqlite);
        await ScratchTable.Add(scratch.Database, 50);
        using var writer = await HeldWriter.Hold(scratch.Database);
        var singles = Enumerable.Range(1, 100).Select(i => ScratchTable.Add(scratch.Database, i)).ToArray();
        var broken = scratch.Database.Run(
            new Batch().Add(ScratchTable.Insert, ("id", 201), ("note", "")).Add(ScratchTable.Insert, ("id", 1), ("note", "")), Ct);
        var whole = scratch.Database.Run(
            new Batch().Add(ScratchTable.Insert, ("id", 202), ("note", "")).Add(ScratchTable.Insert, ("id", 203), ("note", "")), Ct);

        await writer.Release();
        await Task.WhenAll([.. singles.Where((_, i) => i != 49), whole]);

        await Assert.ThrowsAsync<InvalidOperationException>(() => singles[49]);
        await Assert.ThrowsAsync<InvalidOperationException>(() => broken);
        Assert.Equal([.. Enumerable.Range(1, 100), 202, 203], await ScratchTable.Ids(scratch.OpenAnother()));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_full_disk_fails_every_command_of_the_group_and_the_service_goes_on(bool isTransaction)
    {
        await using var scratch = await ScratchTable.Create(Engine.Sqlite);
        var db = scratch.Database;
        var large = new string('x', 300_000);
        await db.Execute(new Sql("PRAGMA max_page_count = 1"), Ct);
        using var writer = await HeldWriter.Hold(db);
        Task[] group =
        [
            ScratchTable.Add(db, 1),
            isTransaction
                ? db.InTransaction(
                    async tx =>
                    {
                        await ScratchTable.Add(tx, 2);
                        return await ScratchTable.Add(tx, 3, large);
                    },
                    Ct)
                : ScratchTable.Add(db, 2, large),
            ScratchTable.Add(db, 4),
        ];

        await writer.Release();

        // Whoever heard "done" has its row; whoever did not may try again.
        var failed = 0;
        foreach (var command in group)
        {
            try
            {
                await command;
            }
            catch (DatabaseUnavailableException)
            {
                failed++;
            }
        }

        Assert.Equal(group.Length - failed, (await ScratchTable.Ids(scratch.OpenAnother())).Count);
        Assert.True(group[1].IsFaulted);
        if (!isTransaction)
        {
            Assert.Equal(group.Length, failed);
        }

        await db.Execute(new Sql("PRAGMA max_page_count = 1000000"), Ct);
        Assert.Equal(1, await ScratchTable.Add(db, 5, large));
        Assert.Contains(5, await scratch.Ids());
    }

    [Fact]
    public async Task The_queue_has_an_end_and_what_was_queued_before_it_is_done()
    {
        await using var scratch = await ScratchTable.Create(Engine.Sqlite);
        using var writer = await HeldWriter.Hold(scratch.Database);
        var queued = Enumerable.Range(1, QueueLimit).Select(i => ScratchTable.Add(scratch.Database, i)).ToArray();

        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => ScratchTable.Add(scratch.Database, QueueLimit + 1));

        await writer.Release();
        await Task.WhenAll(queued);
        Assert.Equal(QueueLimit, (await scratch.Ids()).Count);
        Assert.Equal(1, await ScratchTable.Add(scratch.Database, QueueLimit + 1));
    }

    [Fact]
    public async Task Closing_completes_the_writes_that_already_wait()
    {
        await using var scratch = await ScratchTable.Create(Engine.Sqlite);
        var closing = scratch.OpenUnowned();
        using var writer = await HeldWriter.Hold(closing);
        var queued = Enumerable.Range(1, 300).Select(i => ScratchTable.Add(closing, i)).ToArray();

        var closed = closing.DisposeAsync().AsTask();
        await writer.Release();
        await closed;
        await Task.WhenAll(queued);

        Assert.Equal(300, (await scratch.Ids()).Count);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => ScratchTable.Add(closing, 301));
    }

    [Fact]
    public async Task A_reader_never_waits_for_the_writer()
    {
        await using var scratch = await ScratchTable.Create(Engine.Sqlite);
        await ScratchTable.Add(scratch.Database, 1);
        using var writer = await HeldWriter.Hold(scratch.Database, write: tx => ScratchTable.Add(tx, 2));

        for (var i = 0; i < 100; i++)
        {
            var read = scratch.Ids();
            Assert.True(read.IsCompletedSuccessfully);
            Assert.Equal([1], await read);
        }

        await writer.Release();
        Assert.Equal([1, 2], await scratch.Ids());
    }

    [Fact]
    public async Task Writes_from_many_threads_and_two_processes_are_all_there()
    {
        await using var scratch = await ScratchTable.Create(Engine.Sqlite);
        Database[] processes = [scratch.Database, scratch.OpenAnother()];

        await Together.Run(400, i => ScratchTable.Add(processes[i % 2], i));

        Assert.Equal(Enumerable.Range(0, 400).Select(i => (long)i), await scratch.Ids());
    }

    /// <summary>The writer, stopped inside a transaction, so that what is queued meanwhile forms one group.</summary>
    private sealed class HeldWriter : IDisposable
    {
        private readonly ManualResetEventSlim release = new();
        private Task done = Task.CompletedTask;

        public static async Task<HeldWriter> Hold(Database db, Func<Statements, Task>? write = null)
        {
            var writer = new HeldWriter();
            var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            writer.done = db.InTransaction(
                async tx =>
                {
                    await (write?.Invoke(tx) ?? Task.CompletedTask);
                    entered.SetResult();
                    writer.release.Wait(Ct);
                    return true;
                },
                Ct);
            await entered.Task;
            return writer;
        }

        public Task Release()
        {
            release.Set();
            return done;
        }

        public void Dispose()
        {
            release.Set();
            release.Dispose();
        }
    }
}
