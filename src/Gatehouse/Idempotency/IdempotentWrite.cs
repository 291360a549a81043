using Gatehouse.Storage;

namespace Gatehouse.Idempotency;

/// <summary>Ends the transaction of a write whose key somebody else is using, or has used.</summary>
public sealed class IdempotencyConflictException(bool isDone) : Exception
{
    /// <summary>True when the other one has finished; its answer can be read.</summary>
    public bool IsDone => isDone;
}

/// <summary>
/// Goes through a use case into its transaction, so that the key is claimed before the effect and the answer stored behind it.
/// <paramref name="render"/> makes the answer of an outcome; null when this outcome is not to be kept.
/// </summary>
public sealed class IdempotentWrite<T>(IdempotencyStore store, IdempotentRequest request, Func<T, Reply?> render)
{
    internal async Task<T> Around(Statements tx, Func<Statements, Task<T>> work, CancellationToken ct)
    {
        await store.Claim(tx, request, ct);
        var outcome = await work(tx);
        if (render(outcome) is { } reply)
        {
            await store.Store(tx, request, reply, ct);
        }

        return outcome;
    }
}

/// <summary>Transactions that may be marked by their client.</summary>
public static class IdempotentTransactions
{
    /// <summary>Runs the work in one transaction, once per key when there is one.</summary>
    public static Task<T> InTransaction<T>(this Database database, Func<Statements, Task<T>> work, IdempotentWrite<T>? once, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(database);
        return database.InTransaction(once is null ? work : tx => once.Around(tx, work, ct), ct);
    }
}
