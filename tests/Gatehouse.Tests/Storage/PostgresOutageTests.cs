using Gatehouse.Storage;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Tests.Storage;

public sealed class PostgresOutageTests
{
    private static readonly Sql Make = new("CREATE TABLE scratch (scratch_id bigint PRIMARY KEY, note text)");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_outage_is_told_as_such_and_over_without_a_restart_and_loses_nothing_acknowledged()
    {
        await using var server = await PostgresServer.Start("fsync=off");
        await using var db = Database.Open(await server.CreateDatabase(), "");
        await db.Execute(Make, Ct);
        await Together.Run(10, i => ScratchTable.Add(db, i));
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var underWay = db.InTransaction(
            async tx =>
            {
                await ScratchTable.Add(tx, 100);
                entered.SetResult();
                await stopped.Task;
                return await ScratchTable.Add(tx, 101);
            },
            Ct);
        var slow = db.QueryOne(new Sql("SELECT pg_sleep(60)"), _ => 0, Ct);
        await entered.Task;

        await server.Stop("immediate");
        stopped.SetResult();

        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => underWay);
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => slow);
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => ScratchTable.Ids(db));
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => ScratchTable.Add(db, 102));
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => db.Run(new Batch().Add(ScratchTable.All), Ct));
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => db.InTransaction(tx => ScratchTable.Add(tx, 103), Ct));
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => Migrations.Apply(db, TimeProvider.System, Ct));

        await server.Launch();
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], await ScratchTable.Ids(db));
        await Together.Run(40, i => ScratchTable.Add(db, 200 + i));
        Assert.Equal(50, (await ScratchTable.Ids(db)).Count);
    }
}
