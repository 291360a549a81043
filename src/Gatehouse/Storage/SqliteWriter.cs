namespace Gatehouse.Storage;

/// <summary>
/// The one writer. Commands that wait while a transaction is being made durable share the next one, so the price of
/// <c>synchronous=FULL</c> is paid once per group. A command that fails takes nothing else with it, unless SQLite itself rolled
/// the group back; nobody hears "done" before COMMIT.
/// </summary>
internal sealed class SqliteWriter : IDisposable
{
    private const int QueueLimit = 4096;
    private const int GroupLimit = 256;

    private readonly SqliteConnection connection;
    private readonly Thread thread;
    private readonly Lock gate = new();
    private readonly SemaphoreSlim arrived = new(0);
    private readonly Queue<WriteCommand> waiting = new();
    private readonly List<WriteCommand> group = new(GroupLimit);
    private bool sleeping;
    private bool stopping;

    public SqliteWriter(string file)
    {
        connection = new SqliteConnection(file, readOnly: false);
        connection.Script("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0");
        thread = new Thread(Loop) { Name = "gatehouse-sqlite-writer", IsBackground = true };
        thread.Start();
    }

    /// <summary>Queues a command; its task completes once the command is durable.</summary>
    public void Enqueue(WriteCommand command)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(stopping, this);
            if (waiting.Count >= QueueLimit)
            {
                throw new DatabaseUnavailableException("Too many writes are waiting for SQLite.");
            }

            waiting.Enqueue(command);
            if (!sleeping)
            {
                return;
            }

            sleeping = false;
        }

        arrived.Release();
    }

    /// <summary>Lets the commands that already wait finish, then closes the connection.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (stopping)
            {
                return;
            }

            stopping = true;
            sleeping = false;
        }

        arrived.Release();
        thread.Join();
        connection.Dispose();
        arrived.Dispose();
    }

    private void Loop()
    {
        while (Collect())
        {
            RunGroup();
            group.Clear();
        }
    }

    /// <summary>Waits for commands and moves those that wait into the group; false when there will be no more.</summary>
    private bool Collect()
    {
        while (true)
        {
            lock (gate)
            {
                while (group.Count < GroupLimit && waiting.TryDequeue(out var command))
                {
                    group.Add(command);
                }

                if (group.Count > 0)
                {
                    return true;
                }

                if (stopping)
                {
                    return false;
                }

                sleeping = true;
            }

            arrived.Wait();
        }
    }

    private void RunGroup()
    {
        try
        {
            connection.Script("BEGIN IMMEDIATE");
            foreach (var command in group)
            {
                RunOne(command);
            }

            connection.Script("COMMIT");
        }
        catch (Exception e)
        {
            if (connection.TransactionIsOpen)
            {
                connection.Script("ROLLBACK");
            }

            foreach (var command in group)
            {
                command.Fail(e);
            }

            return;
        }

        foreach (var command in group)
        {
            command.Complete();
        }
    }

    // A single statement undoes itself when it fails; only a command of several statements needs a savepoint for that.
    private void RunOne(WriteCommand command)
    {
        try
        {
            if (command.IsSingleStatement)
            {
                command.Run(connection);
                return;
            }

            connection.Script("SAVEPOINT command");
            command.Run(connection);
            connection.Script("RELEASE command");
        }
        catch (Exception e) when (connection.TransactionIsOpen)
        {
            command.Error = e;
            if (!command.IsSingleStatement)
            {
                connection.Script("ROLLBACK TO command; RELEASE command");
            }
        }
    }
}

/// <summary>Work for the writer, and the task its caller waits for.</summary>
internal abstract class WriteCommand
{
    /// <summary>Whether the command is one statement, which is atomic by itself.</summary>
    public abstract bool IsSingleStatement { get; }

    /// <summary>The command's own error, when the rest of its group goes on.</summary>
    public Exception? Error { get; set; }

    /// <summary>Runs on the writer's thread, inside the group's transaction.</summary>
    public abstract void Run(SqliteConnection connection);

    /// <summary>The group is durable: hands out the answer, or the command's own error.</summary>
    public abstract void Complete();

    /// <summary>The whole group failed.</summary>
    public abstract void Fail(Exception error);
}

/// <summary>A command with an answer.</summary>
internal sealed class WriteCommand<T>(bool isSingleStatement, Func<SqliteConnection, T> run) : WriteCommand
{
    private readonly TaskCompletionSource<T> completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T? answer;

    public override bool IsSingleStatement => isSingleStatement;

    public Task<T> Task => completion.Task;

    public override void Run(SqliteConnection connection) => answer = run(connection);

    public override void Complete()
    {
        if (Error is null)
        {
            completion.SetResult(answer!);
        }
        else
        {
            completion.SetException(Error);
        }
    }

    public override void Fail(Exception error) => completion.SetException(error);
}
