using Npgsql;

namespace Gatehouse.Storage;

/// <summary>
/// Group commit for PostgreSQL: shareable statements that arrive while others are under way form the next group, one round trip
/// and one transaction for all of them. A statement that would wait for a lock, or that fails, takes the group back and every
/// member runs alone, so none waits for another's row and none shares another's error.
/// </summary>
internal sealed class PostgresGroups : IAsyncDisposable
{
    private const int QueueLimit = 4096;
    private const int GroupLimit = 64;

    // One group on the wire while the next is being made; more lanes only make smaller groups.
    private const int Lanes = 2;

    private readonly NpgsqlDataSource source;
    private readonly Lock gate = new();
    private readonly Queue<Shared> waiting = new();
    private int idle = Lanes;

    public PostgresGroups(NpgsqlConnectionStringBuilder settings) =>
        source = new NpgsqlDataSourceBuilder(new NpgsqlConnectionStringBuilder(settings.ConnectionString)
        {
            MaxPoolSize = Lanes,
            Options = settings.Options + " -c lock_timeout=20",
        }.ConnectionString).Build();

    /// <summary>Runs the statement with whatever else waits; <paramref name="alone"/> runs it by itself when the group cannot.</summary>
    public Task<T?> QueryOne<T>(Sql sql, Arg[] args, Func<Row, T> read, Func<Task<T?>> alone, CancellationToken ct)
    {
        var statement = new Shared<T>(sql, args, read, alone, ct);
        lock (gate)
        {
            if (waiting.Count >= QueueLimit)
            {
                throw new DatabaseUnavailableException("Too many writes are waiting for PostgreSQL.");
            }

            waiting.Enqueue(statement);
            if (idle == 0)
            {
                return statement.Task;
            }

            idle--;
        }

        _ = RunLane();
        return statement.Task;
    }

    public ValueTask DisposeAsync() => source.DisposeAsync();

    // Never throws: every error goes to the statements it concerns.
    private async Task RunLane()
    {
        var group = new Batch();
        while (Collect(group))
        {
            try
            {
                await using var connection = await source.OpenConnectionAsync();
                await PostgresDatabase.RunOn(group, connection, CancellationToken.None);
                ForEach(group, statement => statement.Complete());
            }
            catch (PostgresException)
            {
                // PostgreSQL said so itself, hence nothing of the group happened.
                ForEach(group, statement => _ = statement.RunAlone());
            }
            catch (Exception e)
            {
                ForEach(group, statement => statement.Fail(e));
            }

            group.Items.Clear();
        }
    }

    /// <summary>Moves those that wait into the group; false, and the lane is idle, when there are none.</summary>
    private bool Collect(Batch group)
    {
        lock (gate)
        {
            while (group.Items.Count < GroupLimit && waiting.TryDequeue(out var statement))
            {
                if (!statement.IsCanceled())
                {
                    group.Items.Add(statement);
                }
            }

            if (group.Items.Count == 0)
            {
                idle++;
                return false;
            }

            return true;
        }
    }

    private static void ForEach(Batch group, Action<Shared> action)
    {
        foreach (var item in group.Items)
        {
            action((Shared)item);
        }
    }

    /// <summary>A statement of a group, and the task its caller waits for.</summary>
    private abstract class Shared(Sql sql, Arg[] args) : BatchItem(sql, args)
    {
        public abstract bool IsCanceled();

        public abstract void Complete();

        public abstract Task RunAlone();

        public abstract void Fail(Exception error);
    }

    private sealed class Shared<T>(Sql sql, Arg[] args, Func<Row, T> read, Func<Task<T?>> alone, CancellationToken ct) : Shared(sql, args)
    {
        private readonly TaskCompletionSource<T?> completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? answer;

        public Task<T?> Task => completion.Task;

        public override void Reset() => answer = default;

        public override void Accept(Row row) => answer = read(row);

        public override bool IsCanceled() => ct.IsCancellationRequested && completion.TrySetCanceled(ct);

        public override void Complete() => completion.SetResult(answer);

        public override async Task RunAlone() => completion.SetFromTask(await CaptureAlone());

        public override void Fail(Exception error) => completion.SetException(error);

        private async Task<Task<T?>> CaptureAlone()
        {
            var task = alone();
            await ((Task)task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return task;
        }
    }
}
