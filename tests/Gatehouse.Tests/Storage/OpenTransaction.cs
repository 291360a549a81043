using Gatehouse.Storage;
using Xunit;

namespace Gatehouse.Tests.Storage;

/// <summary>A transaction whose work is done and which a test commits when it likes; on PostgreSQL only.</summary>
internal sealed class OpenTransaction
{
    private readonly TaskCompletionSource commit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task done = Task.CompletedTask;

    public static async Task<OpenTransaction> Begin(Database db, Func<Statements, Task> work)
    {
        var transaction = new OpenTransaction();
        var worked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        transaction.done = db.InTransaction(
            async tx =>
            {
                await work(tx);
                worked.SetResult();
                await transaction.commit.Task;
                return true;
            },
            TestContext.Current.CancellationToken);
        await worked.Task;
        return transaction;
    }

    public Task Commit()
    {
        commit.SetResult();
        return done;
    }
}
