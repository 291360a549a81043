namespace Gatehouse.Storage;

/// <summary>
/// Statements that run in order, in one round trip and one transaction. Answers are there once the batch has run.
/// </summary>
public sealed class Batch
{
    internal List<BatchItem> Items { get; } = [];

    /// <summary>Adds a statement whose rows nobody reads.</summary>
    public Batch Add(Sql sql, params ReadOnlySpan<Arg> args)
    {
        Items.Add(new BatchItem(sql, sql.Order(args)));
        return this;
    }

    /// <summary>Adds a statement and returns the place where its rows will be.</summary>
    public Rows<T> Query<T>(Sql sql, Func<Row, T> read, params ReadOnlySpan<Arg> args)
    {
        var rows = new Rows<T>(sql, sql.Order(args), read);
        Items.Add(rows.Item);
        return rows;
    }
}

/// <summary>One statement of a batch.</summary>
internal class BatchItem(Sql sql, Arg[] args)
{
    public Sql Sql { get; } = sql;

    public Arg[] Args { get; } = args;

    /// <summary>Forgets the rows of an earlier, rolled back attempt.</summary>
    public virtual void Reset()
    {
    }

    public virtual void Accept(Row row)
    {
    }
}

/// <summary>The rows a batched statement returned.</summary>
public sealed class Rows<T>
{
    private readonly Reader reader;

    internal Rows(Sql sql, Arg[] args, Func<Row, T> read) => reader = new Reader(sql, args, read);

    /// <summary>All rows, in the order the engine gave them.</summary>
    public IReadOnlyList<T> All => reader.Read;

    /// <summary>The first row, or the default when there was none.</summary>
    public T? First => reader.Read.Count > 0 ? reader.Read[0] : default;

    /// <summary>Lets the batch hold the reader without exposing it.</summary>
    internal BatchItem Item => reader;

    private sealed class Reader(Sql sql, Arg[] args, Func<Row, T> read) : BatchItem(sql, args)
    {
        public List<T> Read { get; } = [];

        public override void Reset() => Read.Clear();

        public override void Accept(Row row) => Read.Add(read(row));
    }
}
