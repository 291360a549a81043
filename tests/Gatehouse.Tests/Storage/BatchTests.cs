using Gatehouse.Storage;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Tests.Storage;

public sealed class BatchTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    public async Task Rows_find_their_own_statement_also_between_statements_without_rows(Engine engine)
    {
        await using var scratch = await ScratchTable.Create(engine);
        var batch = new Batch();
        batch.Add(ScratchTable.Insert, ("id", 1), ("note", "one"));
        var first = batch.Query(ScratchTable.All, row => row.Long(0));
        batch.Add(ScratchTable.Rename, ("id", 1), ("note", "uno"));
        batch.Add(ScratchTable.InsertReturning, ("id", 2), ("note", "nobody reads this row"));
        var none = batch.Query(new Sql("SELECT note FROM scratch WHERE scratch_id = 9"), row => row.Text(0));
        var inserted = batch.Query(ScratchTable.InsertReturning, row => (row.Long(0), row.Text(1)), ("id", 3), ("note", "three"));
        batch.Add(ScratchTable.Rename, ("id", 9), ("note", "nobody"));
        var last = batch.Query(new Sql("SELECT note FROM scratch WHERE scratch_id < 3 ORDER BY scratch_id DESC"), row => row.Text(0));
        batch.Add(ScratchTable.Insert, ("id", 4), ("note", ""));

        await scratch.Database.Run(batch, Ct);

        Assert.Equal([1], first.All);
        Assert.Empty(none.All);
        Assert.Null(none.First);
        Assert.Equal((3, "three"), Assert.Single(inserted.All));
        Assert.Equal(["nobody reads this row", "uno"], last.All);
        Assert.Equal([1, 2, 3, 4], await scratch.Ids());
    }

    [Theory]
    [BothEngines]
    public async Task A_batch_without_any_rows_and_an_empty_one_run(Engine engine)
    {
        await using var scratch = await ScratchTable.Create(engine);

        await scratch.Database.Run(new Batch().Add(ScratchTable.Insert, ("id", 1), ("note", "")), Ct);
        await scratch.Database.Run(new Batch(), Ct);
        await scratch.Database.InTransaction(
            async tx =>
            {
                await tx.Run(new Batch(), Ct);
                return await ScratchTable.Add(tx, 2);
            },
            Ct);

        Assert.Equal([1, 2], await scratch.Ids());
    }

    [Theory]
    [BothEngines]
    public async Task A_batch_that_fails_leaves_nothing(Engine engine)
    {
        await using var scratch = await ScratchTable.Create(engine);
        var batch = new Batch();
        batch.Add(ScratchTable.Insert, ("id", 1), ("note", ""));
        var rows = batch.Query(ScratchTable.InsertReturning, row => row.Long(0), ("id", 2), ("note", ""));
        batch.Add(ScratchTable.Insert, ("id", 1), ("note", "again"));

        await Assert.ThrowsAnyAsync<Exception>(() => scratch.Database.Run(batch, Ct));
        Assert.Empty(await scratch.Ids());

        // The same batch, tried again, holds the rows of its last run only.
        await Assert.ThrowsAnyAsync<Exception>(() => scratch.Database.Run(batch, Ct));
        Assert.True(rows.All.Count <= 1);
    }

    [Theory]
    [BothEngines]
    public async Task A_transaction_is_seen_by_nobody_until_it_commits(Engine engine)
    {
        await using var scratch = await ScratchTable.Create(engine);
        var other = scratch.OpenAnother();

        var (inside, outside) = await scratch.Database.InTransaction(
            async tx =>
            {
                await ScratchTable.Add(tx, 1);
                return (await ScratchTable.Ids(tx), await ScratchTable.Ids(other));
            },
            Ct);

        Assert.Equal([1], inside);
        Assert.Empty(outside);
        Assert.Equal([1], await ScratchTable.Ids(other));
    }

    [Theory]
    [BothEngines]
    public async Task A_transaction_whose_work_throws_is_rolled_back(Engine engine)
    {
        await using var scratch = await ScratchTable.Create(engine);

        var thrown = await Assert.ThrowsAsync<NotSupportedException>(() => scratch.Database.InTransaction<int>(
            async tx =>
            {
                await ScratchTable.Add(tx, 1);
                throw new NotSupportedException("a rule of the work");
            },
            Ct));

        Assert.Equal("a rule of the work", thrown.Message);
        Assert.Empty(await scratch.Ids());
        await ScratchTable.Add(scratch.Database, 2);
        Assert.Equal([2], await scratch.Ids());
    }

    [Theory]
    [BothEngines]
    public async Task Execute_counts_the_rows_it_changed(Engine engine)
    {
        await using var scratch = await ScratchTable.Create(engine);
        Assert.Equal(1, await ScratchTable.Add(scratch.Database, 1));
        Assert.Equal(1, await ScratchTable.Add(scratch.Database, 2));

        Assert.Equal(0, await scratch.Database.Execute(ScratchTable.Rename, Ct, ("id", 9), ("note", "")));
        Assert.Equal(2, await scratch.Database.Execute(new Sql("UPDATE scratch SET note = 'x'"), Ct));
        Assert.Equal(2, await scratch.Database.Execute(new Sql("DELETE FROM scratch RETURNING scratch_id"), Ct));
    }

    [Fact]
    public async Task On_SQLite_a_transaction_that_awaits_something_foreign_is_refused_and_rolled_back()
    {
        await using var scratch = await ScratchTable.Create(Engine.Sqlite);
        var foreign = new TaskCompletionSource();
        var afterwards = new TaskCompletionSource<Exception>();

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => scratch.Database.InTransaction(Work, Ct));

        Assert.Contains("await", refused.Message, StringComparison.Ordinal);
        foreign.SetResult();
        Assert.IsType<InvalidOperationException>(await afterwards.Task);
        Assert.Empty(await scratch.Ids());
        Assert.Equal(1, await ScratchTable.Add(scratch.Database, 3));

        async Task<int> Work(Statements tx)
        {
            await ScratchTable.Add(tx, 1);
            await foreign.Task;
            try
            {
                return await ScratchTable.Add(tx, 2);
            }
            catch (InvalidOperationException e)
            {
                afterwards.SetResult(e);
                return 0;
            }
        }
    }
}
