using System.Data;
using Npgsql;
using NpgsqlTypes;

namespace Gatehouse.Storage;

/// <summary>PostgreSQL through Npgsql: prepared by use, typed parameters, one round trip per call.</summary>
internal sealed class PostgresDatabase : Database
{
    // Any two-number key will do as long as every Gatehouse process uses the same one.
    private const string LockMigrations = "SELECT pg_advisory_lock(71205, 1)";
    private const string UnlockMigrations = "SELECT pg_advisory_unlock(71205, 1)";

    private readonly PostgresGroups groups;

    public PostgresDatabase(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            // A call that takes longer than this has lost its caller.
            CommandTimeout = 10,
            MaxAutoPrepare = 200,
            AutoPrepareMinUsages = 2,
            Enlist = false,
            NoResetOnClose = true,
        };

        // A process that stops in the middle of a transaction must not keep a user locked, nor publish long after the fact.
        if (string.IsNullOrEmpty(settings.Options))
        {
            settings.Options = "-c idle_in_transaction_session_timeout=5000";
        }

        Source = new NpgsqlDataSourceBuilder(settings.ConnectionString).Build();
        groups = new PostgresGroups(settings);
    }

    public override string Engine => "PostgreSQL";

    internal NpgsqlDataSource Source { get; }

    public override Task<IReadOnlyList<T>> Query<T>(Sql sql, Func<Row, T> read, CancellationToken ct, params ReadOnlySpan<Arg> args) =>
        Guard(QueryCore(Command(sql, args), read, ct));

    public override Task<T?> QueryOne<T>(Sql sql, Func<Row, T> read, CancellationToken ct, params ReadOnlySpan<Arg> args)
        where T : default
    {
        if (!sql.MayShare)
        {
            return Guard(QueryOneCore(Command(sql, args), read, ct));
        }

        var ordered = sql.Order(args);
        return Guard(groups.QueryOne(sql, ordered, read, () => QueryOneCore(Command(sql.Text, ordered), read, ct), ct));
    }

    public override Task<int> Execute(Sql sql, CancellationToken ct, params ReadOnlySpan<Arg> args) =>
        Guard(ExecuteCore(Command(sql, args), ct));

    public override Task Run(Batch batch, CancellationToken ct) => Guard(RunCore(batch, ct));

    public override Task<T> InTransaction<T>(Func<Statements, Task<T>> work, CancellationToken ct) =>
        Guard(InTransactionCore(work, ct));

    public override async ValueTask DisposeAsync()
    {
        await groups.DisposeAsync();
        await Source.DisposeAsync();
    }

    internal override async Task<IReadOnlyList<Migration>> Migrate(IReadOnlyList<Migration> migrations, long now, CancellationToken ct)
    {
        await using var connection = await Guard(Source.OpenConnectionAsync(ct).AsTask());
        await Script(connection, LockMigrations, ct);
        try
        {
            await Script(connection, Migrations.History, ct);
            var missing = Migrations.Missing(
                migrations, await ReadAll(Command(Migrations.Applied, []), connection, row => (row.Int(0), row.Text(1)), ct));
            foreach (var migration in missing)
            {
                await using var transaction = await connection.BeginTransactionAsync(ct);
                await Script(connection, migration.Script, ct);
                await using var record = Command(Migrations.Record, MigrationArgs(migration, now));
                record.Connection = connection;
                await record.ExecuteNonQueryAsync(ct);
                await transaction.CommitAsync(ct);
            }

            return missing;
        }
        finally
        {
            await Script(connection, UnlockMigrations, CancellationToken.None);
        }
    }

    internal static Arg[] MigrationArgs(Migration migration, long now) =>
        [("number", migration.Number), ("name", migration.Name), ("checksum", migration.Checksum), ("now", now)];

    private static async Task Script(NpgsqlConnection connection, string script, CancellationToken ct)
    {
        // A migration of a large table, or the wait for another process's, may take its time.
        await using var command = new NpgsqlCommand(script, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(ct);
    }

    private static NpgsqlCommand Command(Sql sql, ReadOnlySpan<Arg> args) => Command(sql.Text, sql.Order(args));

    private static NpgsqlCommand Command(string text, Arg[] ordered)
    {
        var command = new NpgsqlCommand(text);
        Bind(command.Parameters, ordered);
        return command;
    }

    private static void Bind(NpgsqlParameterCollection parameters, Arg[] args)
    {
        foreach (ref readonly var arg in args.AsSpan())
        {
            parameters.Add(arg switch
            {
                { IsNull: true } => new NpgsqlParameter { NpgsqlDbType = DbType(arg.Type), Value = DBNull.Value },
                { Type: Arg.Kind.Number } => new NpgsqlParameter<long> { TypedValue = arg.Number, NpgsqlDbType = NpgsqlDbType.Bigint },
                { Type: Arg.Kind.Id } => new NpgsqlParameter<Guid> { TypedValue = arg.Id, NpgsqlDbType = NpgsqlDbType.Uuid },
                { Type: Arg.Kind.Text } => new NpgsqlParameter<string> { TypedValue = (string)arg.Reference!, NpgsqlDbType = NpgsqlDbType.Text },
                _ => new NpgsqlParameter<byte[]> { TypedValue = (byte[])arg.Reference!, NpgsqlDbType = NpgsqlDbType.Bytea },
            });
        }
    }

    private static NpgsqlDbType DbType(Arg.Kind kind) => kind switch
    {
        Arg.Kind.Number => NpgsqlDbType.Bigint,
        Arg.Kind.Id => NpgsqlDbType.Uuid,
        Arg.Kind.Text => NpgsqlDbType.Text,
        _ => NpgsqlDbType.Bytea,
    };

    private async Task<IReadOnlyList<T>> QueryCore<T>(NpgsqlCommand command, Func<Row, T> read, CancellationToken ct)
    {
        await using var connection = await Source.OpenConnectionAsync(ct);
        return await ReadAll(command, connection, read, ct);
    }

    private async Task<T?> QueryOneCore<T>(NpgsqlCommand command, Func<Row, T> read, CancellationToken ct)
    {
        await using var connection = await Source.OpenConnectionAsync(ct);
        return await ReadOne(command, connection, read, ct);
    }

    private async Task<int> ExecuteCore(NpgsqlCommand command, CancellationToken ct)
    {
        await using var connection = await Source.OpenConnectionAsync(ct);
        return await ExecuteOn(command, connection, ct);
    }

    private async Task RunCore(Batch batch, CancellationToken ct)
    {
        await using var connection = await Source.OpenConnectionAsync(ct);
        await RunOn(batch, connection, ct);
    }

    private async Task<T> InTransactionCore<T>(Func<Statements, Task<T>> work, CancellationToken ct)
    {
        await using var connection = await Source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, ct);
        var result = await work(new Transaction(connection));

        // Past this point the client's wish to stop waiting must not leave it guessing whether the change happened.
        await transaction.CommitAsync(CancellationToken.None);
        return result;
    }

    private static async Task<IReadOnlyList<T>> ReadAll<T>(
        NpgsqlCommand command, NpgsqlConnection connection, Func<Row, T> read, CancellationToken ct)
    {
        await using var _ = command;
        command.Connection = connection;
        await using var reader = await command.ExecuteReaderAsync(CommandBehavior.Default, ct);
        var row = new PostgresRow(reader);
        var rows = new List<T>();
        while (await reader.ReadAsync(ct))
        {
            rows.Add(read(row));
        }

        return rows;
    }

    private static async Task<T?> ReadOne<T>(
        NpgsqlCommand command, NpgsqlConnection connection, Func<Row, T> read, CancellationToken ct)
    {
        await using var _ = command;
        command.Connection = connection;
        await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, ct);
        return await reader.ReadAsync(ct) ? read(new PostgresRow(reader)) : default;
    }

    private static async Task<int> ExecuteOn(NpgsqlCommand command, NpgsqlConnection connection, CancellationToken ct)
    {
        await using var _ = command;
        command.Connection = connection;
        return await command.ExecuteNonQueryAsync(ct);
    }

    internal static async Task RunOn(Batch batch, NpgsqlConnection connection, CancellationToken ct)
    {
        if (batch.Items.Count == 0)
        {
            return;
        }

        await using var commands = new NpgsqlBatch(connection);
        foreach (var item in batch.Items)
        {
            item.Reset();
            var command = new NpgsqlBatchCommand(item.Sql.Text);
            Bind(command.Parameters, item.Args);
            commands.BatchCommands.Add(command);
        }

        await using var reader = await commands.ExecuteReaderAsync(ct);
        var row = new PostgresRow(reader);

        // The reader skips statements without a result set, so the items that have none are skipped in step.
        using var items = batch.Items.Where(item => item.Sql.ReturnsRows).GetEnumerator();
        do
        {
            if (reader.FieldCount == 0)
            {
                continue;
            }

            items.MoveNext();
            while (await reader.ReadAsync(ct))
            {
                items.Current.Accept(row);
            }
        }
        while (await reader.NextResultAsync(ct));
    }

    private static async Task<T> Guard<T>(Task<T> call)
    {
        try
        {
            return await call;
        }
        catch (Exception e) when (IsUnavailable(e))
        {
            throw Unavailable(e);
        }
    }

    private static async Task Guard(Task call)
    {
        try
        {
            await call;
        }
        catch (Exception e) when (IsUnavailable(e))
        {
            throw Unavailable(e);
        }
    }

    // 08 connection, 53 resources, 57 operator intervention, 25006 a standby, 40 deadlock or serialization: all may pass.
    private static bool IsUnavailable(Exception e) => e is TimeoutException
        || (e is PostgresException p && (p.SqlState[..2] is "08" or "53" or "57" or "40" || p.SqlState == "25006"))
        || (e is NpgsqlException and not PostgresException);

    private static DatabaseUnavailableException Unavailable(Exception e) => new("PostgreSQL cannot answer now.", e);

    private sealed class PostgresRow(NpgsqlDataReader reader) : Row
    {
        public override bool IsNull(int column) => reader.IsDBNull(column);

        public override long Long(int column) => reader.GetInt64(column);

        public override string Text(int column) => reader.GetString(column);

        public override Guid Id(int column) => reader.GetGuid(column);

        public override byte[] Bytes(int column) => reader.GetFieldValue<byte[]>(column);
    }

    private sealed class Transaction(NpgsqlConnection connection) : Statements
    {
        public override Task<IReadOnlyList<T>> Query<T>(Sql sql, Func<Row, T> read, CancellationToken ct, params ReadOnlySpan<Arg> args) =>
            ReadAll(Command(sql, args), connection, read, ct);

        public override Task<T?> QueryOne<T>(Sql sql, Func<Row, T> read, CancellationToken ct, params ReadOnlySpan<Arg> args)
            where T : default =>
            ReadOne(Command(sql, args), connection, read, ct);

        public override Task<int> Execute(Sql sql, CancellationToken ct, params ReadOnlySpan<Arg> args) =>
            ExecuteOn(Command(sql, args), connection, ct);

        public override Task Run(Batch batch, CancellationToken ct) => RunOn(batch, connection, ct);
    }
}
