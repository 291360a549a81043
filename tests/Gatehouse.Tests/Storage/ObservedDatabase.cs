using Gatehouse.Storage;

namespace Gatehouse.Tests.Storage;

/// <summary>A database that counts what is asked of it, and can hold back an answer that is already decided.</summary>
internal sealed class ObservedDatabase(Database inner) : Database
{
    private int calls;
    private int roundTrips;
    private Held? held;

    /// <summary>Statements, batches and transactions so far.</summary>
    public int Calls => Volatile.Read(ref calls);

    /// <summary>What a networked engine is asked in one go: a statement, a batch, a commit. BEGIN travels with what follows it.</summary>
    public int RoundTrips => Volatile.Read(ref roundTrips);

    public override string Engine => inner.Engine;

    /// <summary>The answer to the next call is kept until it is released.</summary>
    public Held HoldNextAnswer() => held = new Held();

    public override Task<IReadOnlyList<T>> Query<T>(Sql sql, Func<Row, T> read, CancellationToken ct, params ReadOnlySpan<Arg> args) =>
        Observe(inner.Query(sql, read, ct, args));

    public override Task<T?> QueryOne<T>(Sql sql, Func<Row, T> read, CancellationToken ct, params ReadOnlySpan<Arg> args)
        where T : default => Observe(inner.QueryOne(sql, read, ct, args));

    public override Task<int> Execute(Sql sql, CancellationToken ct, params ReadOnlySpan<Arg> args) =>
        Observe(inner.Execute(sql, ct, args));

    public override async Task Run(Batch batch, CancellationToken ct)
    {
        await inner.Run(batch, ct);
        await Observe(Task.FromResult(0));
    }

    public override Task<T> InTransaction<T>(Func<Statements, Task<T>> work, CancellationToken ct) => Observe(
        inner.InTransaction(tx => work(new ObservedStatements(tx, () => Interlocked.Increment(ref roundTrips))), ct));

    public override ValueTask DisposeAsync() => inner.DisposeAsync();

    internal override Task<IReadOnlyList<Migration>> Migrate(IReadOnlyList<Migration> migrations, long now, CancellationToken ct) =>
        inner.Migrate(migrations, now, ct);

    private async Task<T> Observe<T>(Task<T> call)
    {
        Interlocked.Increment(ref calls);
        Interlocked.Increment(ref roundTrips);
        var mine = Interlocked.Exchange(ref held, null);
        var answer = await call;
        if (mine is not null)
        {
            await mine.Pass();
        }

        return answer;
    }

    /// <summary>An answer that is decided and not yet known to its caller.</summary>
    public sealed class Held
    {
        private readonly TaskCompletionSource decided = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Decided => decided.Task;

        public void Release() => released.SetResult();

        public Task Pass()
        {
            decided.SetResult();
            return released.Task;
        }
    }

    private sealed class ObservedStatements(Statements inner, Action count) : Statements
    {
        public override Task<IReadOnlyList<T>> Query<T>(Sql sql, Func<Row, T> read, CancellationToken ct, params ReadOnlySpan<Arg> args)
        {
            count();
            return inner.Query(sql, read, ct, args);
        }

        public override Task<T?> QueryOne<T>(Sql sql, Func<Row, T> read, CancellationToken ct, params ReadOnlySpan<Arg> args)
            where T : default
        {
            count();
            return inner.QueryOne(sql, read, ct, args);
        }

        public override Task<int> Execute(Sql sql, CancellationToken ct, params ReadOnlySpan<Arg> args)
        {
            count();
            return inner.Execute(sql, ct, args);
        }

        public override Task Run(Batch batch, CancellationToken ct)
        {
            count();
            return inner.Run(batch, ct);
        }
    }
}
