using Gatehouse.Storage;
using Gatehouse.Testing;
using Npgsql;
using Xunit;

namespace Gatehouse.Tests.Storage;

public sealed class PostgresGroupsTests
{
    private const int Rows = 200;

    private static readonly Sql Fill = new("INSERT INTO scratch (scratch_id, note, number) SELECT n, '', 0 FROM generate_series(1, @rows) AS n");

    private static readonly Sql Count = new("""
        UPDATE scratch SET number = number + 10 / @divisor WHERE scratch_id = @id RETURNING pg_current_xact_id()::text::bigint
        """)
    {
        MayShare = true,
    };

    private static readonly Sql Total = new("SELECT sum(number)::bigint FROM scratch");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Statements_that_wait_together_share_transactions()
    {
        await using var scratch = await Filled();

        var transactions = await Together.Run(Rows, i => Add(scratch, i + 1));

        Assert.InRange(transactions.Distinct().Count(), 1, Rows / 2);
        Assert.Equal(Rows * 10, await scratch.Database.QueryOne(Total, row => row.Long(0), Ct));
    }

    [Fact]
    public async Task A_statement_that_fails_takes_no_other_with_it()
    {
        await using var scratch = await Filled();

        var calls = await Together.Run(Rows, i => Task.FromResult(Add(scratch, i + 1, divisor: i == 70 ? 0 : 1)));

        var error = await Assert.ThrowsAsync<PostgresException>(() => calls[70]);
        Assert.Equal(PostgresErrorCodes.DivisionByZero, error.SqlState);
        await Task.WhenAll(calls.Where((_, i) => i != 70));
        Assert.Equal((Rows - 1) * 10, await scratch.Database.QueryOne(Total, row => row.Long(0), Ct));
    }

    [Fact]
    public async Task Rows_that_others_hold_keep_nobody_else_waiting()
    {
        await using var scratch = await Filled();
        var holder = await OpenTransaction.Begin(
            scratch.Database,
            tx => tx.Execute(new Sql("UPDATE scratch SET number = 0 WHERE scratch_id <= 10"), Ct));

        var calls = await Together.Run(Rows, i => Task.FromResult(Add(scratch, i + 1)));
        await Task.WhenAll(calls[10..]);

        Assert.All(calls[..10], call => Assert.False(call.IsCompleted));
        await holder.Commit();
        await Task.WhenAll(calls);
        Assert.Equal(Rows * 10, await scratch.Database.QueryOne(Total, row => row.Long(0), Ct));
    }

    [Fact]
    public async Task Two_groups_that_want_each_others_rows_both_succeed()
    {
        await using var scratch = await Filled();

        await Together.Run(Rows, i => Add(scratch, (i % 2) + 1));

        Assert.Equal(Rows * 10, await scratch.Database.QueryOne(Total, row => row.Long(0), Ct));
    }

    [Fact]
    public async Task A_row_that_is_not_there_gives_nothing()
    {
        await using var scratch = await Filled();

        Assert.Equal(0, await Add(scratch, Rows + 1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => scratch.Database.QueryOne(Count, row => row.Long(0), new CancellationToken(canceled: true), ("id", 1), ("divisor", 1)));
    }

    private static async Task<ScratchTable> Filled()
    {
        var scratch = await ScratchTable.Create(Engine.Postgres);
        await scratch.Database.Execute(Fill, Ct, ("rows", Rows));
        return scratch;
    }

    private static Task<long> Add(ScratchTable scratch, int id, int divisor = 1) =>
        scratch.Database.QueryOne(Count, row => row.Long(0), Ct, ("id", id), ("divisor", divisor));
}
