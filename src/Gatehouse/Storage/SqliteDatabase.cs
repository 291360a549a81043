using System.Collections.Concurrent;

namespace Gatehouse.Storage;

/// <summary>
/// SQLite inside the process, in WAL mode: readers beside one writer (see <see cref="SqliteWriter"/>), and a thread of its own for
/// checkpoints, so that no caller ever pays for one.
/// </summary>
internal sealed class SqliteDatabase : Database
{
    private const long CheckpointBytes = 4 * 1024 * 1024;
    private static readonly TimeSpan CheckpointInterval = TimeSpan.FromMilliseconds(200);

    private readonly string file;
    private readonly SqliteWriter writer;
    private readonly ConcurrentBag<SqliteConnection> readers = [];
    private readonly SemaphoreSlim freeReaders;
    private readonly ManualResetEventSlim stopping = new();
    private readonly Thread checkpoints;

    public SqliteDatabase(string file)
    {
        this.file = file;
        writer = new SqliteWriter(file);
        freeReaders = new SemaphoreSlim(Math.Max(4, Environment.ProcessorCount * 2));
        checkpoints = new Thread(CheckpointLoop) { Name = "gatehouse-sqlite-checkpoints", IsBackground = true };
        checkpoints.Start();
    }

    public override string Engine => "SQLite";

    public override Task<IReadOnlyList<T>> Query<T>(Sql sql, Func<Row, T> read, CancellationToken ct, params ReadOnlySpan<Arg> args)
    {
        var ordered = sql.Order(args);
        return sql.IsRead
            ? Read<IReadOnlyList<T>>(connection => ReadAll(connection, sql, ordered, read), ct)
            : Write<IReadOnlyList<T>>(isSingleStatement: true, connection => ReadAll(connection, sql, ordered, read), ct);
    }

    public override Task<T?> QueryOne<T>(Sql sql, Func<Row, T> read, CancellationToken ct, params ReadOnlySpan<Arg> args)
        where T : default
    {
        var ordered = sql.Order(args);
        return sql.IsRead
            ? Read(connection => ReadOne(connection, sql, ordered, read), ct)
            : Write(isSingleStatement: true, connection => ReadOne(connection, sql, ordered, read), ct);
    }

    public override Task<int> Execute(Sql sql, CancellationToken ct, params ReadOnlySpan<Arg> args)
    {
        var ordered = sql.Order(args);
        return Write(isSingleStatement: true, connection => Change(connection, sql, ordered), ct);
    }

    public override Task Run(Batch batch, CancellationToken ct) => batch.Items.TrueForAll(item => item.Sql.IsRead)
        ? Read(connection => RunAll(connection, batch), ct)
        : Write(batch.Items.Count == 1, connection => RunAll(connection, batch), ct);

    public override Task<T> InTransaction<T>(Func<Statements, Task<T>> work, CancellationToken ct) => Write(
        isSingleStatement: false,
        connection =>
        {
            var transaction = new Transaction(connection);
            var task = work(transaction);
            transaction.Close();
            return task.IsCompleted
                ? task.GetAwaiter().GetResult()
                : throw new InvalidOperationException("A transaction may await only its own statements.");
        },
        ct);

    public override async ValueTask DisposeAsync()
    {
        stopping.Set();
        await Task.Run(() =>
        {
            checkpoints.Join();
            writer.Dispose();
        });
        while (readers.TryTake(out var reader))
        {
            reader.Dispose();
        }

        freeReaders.Dispose();
        stopping.Dispose();
    }

    internal override async Task<IReadOnlyList<Migration>> Migrate(IReadOnlyList<Migration> migrations, long now, CancellationToken ct) =>
        await Task.Run(
            () =>
            {
                using var connection = new SqliteConnection(file, readOnly: false);
                connection.Script("BEGIN EXCLUSIVE");
                connection.Script(Migrations.History);
                var missing = Migrations.Missing(
                    migrations, ReadAll(connection, Migrations.Applied, [], row => (row.Int(0), row.Text(1))));
                foreach (var migration in missing)
                {
                    connection.Script(migration.Script);
                    Change(connection, Migrations.Record, Migrations.Record.Order(PostgresDatabase.MigrationArgs(migration, now)));
                }

                connection.Script("COMMIT");
                return missing;
            },
            ct);

    private static List<T> ReadAll<T>(SqliteConnection connection, Sql sql, Arg[] args, Func<Row, T> read)
    {
        var rows = new List<T>();
        connection.Run(sql, args, (rows, read), static (state, row) =>
        {
            state.rows.Add(state.read(row));
            return true;
        });
        return rows;
    }

    private static T? ReadOne<T>(SqliteConnection connection, Sql sql, Arg[] args, Func<Row, T> read)
    {
        var first = new Box<T> { Read = read };
        connection.Run(sql, args, first, static (box, row) =>
        {
            box.Value = box.Read(row);
            return false;
        });
        return first.Value;
    }

    private static int Change(SqliteConnection connection, Sql sql, Arg[] args) =>
        connection.Run<object?>(sql, args, null, static (_, _) => false);

    private static bool RunAll(SqliteConnection connection, Batch batch)
    {
        foreach (var item in batch.Items)
        {
            item.Reset();
            connection.Run(item.Sql, item.Args, item, static (target, row) =>
            {
                target.Accept(row);
                return true;
            });
        }

        return true;
    }

    private async Task<T> Read<T>(Func<SqliteConnection, T> read, CancellationToken ct)
    {
        await freeReaders.WaitAsync(ct);
        try
        {
            if (!readers.TryTake(out var connection))
            {
                connection = new SqliteConnection(file, readOnly: true);
            }

            try
            {
                return read(connection);
            }
            finally
            {
                readers.Add(connection);
            }
        }
        finally
        {
            freeReaders.Release();
        }
    }

    private Task<T> Write<T>(bool isSingleStatement, Func<SqliteConnection, T> run, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var command = new WriteCommand<T>(isSingleStatement, run);
        writer.Enqueue(command);
        return command.Task;
    }

    private void CheckpointLoop()
    {
        using var connection = new SqliteConnection(file, readOnly: false);
        var wal = new FileInfo(file + "-wal");
        while (!stopping.Wait(CheckpointInterval))
        {
            wal.Refresh();
            if (wal.Exists && wal.Length > CheckpointBytes)
            {
                try
                {
                    connection.Script("PRAGMA wal_checkpoint(PASSIVE)");
                }
                catch (DatabaseUnavailableException)
                {
                    // A full disk, say. What was committed is safe in the log, and the next round tries again.
                }
            }
        }
    }

    private sealed class Box<T>
    {
        public required Func<Row, T> Read { get; init; }

        public T? Value { get; set; }
    }

    /// <summary>Runs on the writer's thread, so every task it returns is already complete.</summary>
    private sealed class Transaction(SqliteConnection connection) : Statements
    {
        private SqliteConnection? current = connection;

        private SqliteConnection Connection => current ?? throw new InvalidOperationException("The transaction has ended.");

        public void Close() => current = null;

        public override Task<IReadOnlyList<T>> Query<T>(Sql sql, Func<Row, T> read, CancellationToken ct, params ReadOnlySpan<Arg> args) =>
            Task.FromResult<IReadOnlyList<T>>(ReadAll(Connection, sql, sql.Order(args), read));

        public override Task<T?> QueryOne<T>(Sql sql, Func<Row, T> read, CancellationToken ct, params ReadOnlySpan<Arg> args)
            where T : default =>
            Task.FromResult(ReadOne(Connection, sql, sql.Order(args), read));

        public override Task<int> Execute(Sql sql, CancellationToken ct, params ReadOnlySpan<Arg> args) =>
            Task.FromResult(Change(Connection, sql, sql.Order(args)));

        public override Task Run(Batch batch, CancellationToken ct)
        {
            RunAll(Connection, batch);
            return Task.CompletedTask;
        }
    }
}
