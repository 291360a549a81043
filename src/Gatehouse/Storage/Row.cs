namespace Gatehouse.Storage;

/// <summary>The current row of an answer, read by column position; valid only inside the reading function.</summary>
public abstract class Row
{
    /// <summary>Whether the column is NULL.</summary>
    public abstract bool IsNull(int column);

    /// <summary>An integer, a count or a time.</summary>
    public abstract long Long(int column);

    /// <summary>A text.</summary>
    public abstract string Text(int column);

    /// <summary>An id.</summary>
    public abstract Guid Id(int column);

    /// <summary>Bytes, copied.</summary>
    public abstract byte[] Bytes(int column);

    /// <summary>An integer that fits 32 bits.</summary>
    public int Int(int column) => checked((int)Long(column));

    /// <summary>A flag stored as 0 or 1.</summary>
    public bool Flag(int column) => Long(column) != 0;

    /// <summary>An id or null.</summary>
    public Guid? IdOrNull(int column) => IsNull(column) ? null : Id(column);

    /// <summary>A text or null.</summary>
    public string? TextOrNull(int column) => IsNull(column) ? null : Text(column);

    /// <summary>An integer or null.</summary>
    public long? LongOrNull(int column) => IsNull(column) ? null : Long(column);
}
