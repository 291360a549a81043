namespace Gatehouse.Storage;

/// <summary>What runs statements: a database, or a transaction on it.</summary>
public abstract class Statements
{
    /// <summary>The rows of the answer, read one by one.</summary>
    public abstract Task<IReadOnlyList<T>> Query<T>(Sql sql, Func<Row, T> read, CancellationToken ct, params ReadOnlySpan<Arg> args);

    /// <summary>The first row of the answer, or the default when there is none.</summary>
    public abstract Task<T?> QueryOne<T>(Sql sql, Func<Row, T> read, CancellationToken ct, params ReadOnlySpan<Arg> args);

    /// <summary>Runs a statement and returns how many rows it changed.</summary>
    public abstract Task<int> Execute(Sql sql, CancellationToken ct, params ReadOnlySpan<Arg> args);

    /// <summary>Runs all statements in one round trip; outside a transaction they form one of their own.</summary>
    public abstract Task Run(Batch batch, CancellationToken ct);
}

/// <summary>The store: SQLite inside the process, or PostgreSQL. Every write is durable before its task completes.</summary>
public abstract class Database : Statements, IAsyncDisposable
{
    /// <summary>The engine's name, as an operator would say it.</summary>
    public abstract string Engine { get; }

    /// <summary>
    /// Runs the work in one transaction and commits it, or rolls it back when the work throws. The work awaits nothing but
    /// statements of the transaction it is given: on SQLite it runs on the writer, beside which nothing else can write.
    /// </summary>
    public abstract Task<T> InTransaction<T>(Func<Statements, Task<T>> work, CancellationToken ct);

    /// <summary>Opens a database from a PostgreSQL connection string, or else the SQLite file in the data folder.</summary>
    public static Database Open(string? postgres, string sqliteFile) =>
        string.IsNullOrWhiteSpace(postgres) ? new SqliteDatabase(sqliteFile) : new PostgresDatabase(postgres);

    /// <summary>Brings the schema up to date; forward only, one process at a time (see <see cref="Migrations"/>).</summary>
    internal abstract Task<IReadOnlyList<Migration>> Migrate(IReadOnlyList<Migration> migrations, long now, CancellationToken ct);

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}

/// <summary>The database cannot be reached or cannot take the write now; the caller may try again later (503).</summary>
public sealed class DatabaseUnavailableException : Exception
{
    /// <summary>Wraps the engine's own error.</summary>
    public DatabaseUnavailableException(string message, Exception? inner = null) : base(message, inner)
    {
    }
}
