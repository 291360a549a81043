using System.Text;

namespace Gatehouse.Storage;

/// <summary>
/// One statement, one text for both engines. Parameters are written <c>@name</c> and become <c>$1…$n</c> once, when the
/// statement is declared; keep statements in static fields, since each engine prepares by instance.
/// </summary>
public sealed class Sql
{
    /// <summary>Declares a statement.</summary>
    public Sql(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var names = new List<string>();
        var rewritten = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length;)
        {
            var end = i + 1;
            if (text[i] != '@')
            {
                rewritten.Append(text[i]);
                i = end;
                continue;
            }

            while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] == '_'))
            {
                end++;
            }

            var name = text[(i + 1)..end];
            var index = names.IndexOf(name);
            if (index < 0)
            {
                index = names.Count;
                names.Add(name);
            }

            rewritten.Append('$').Append(index + 1);
            i = end;
        }

        Text = rewritten.ToString();
        Parameters = [.. names];
        ReturnsRows = text.Contains("RETURNING", StringComparison.OrdinalIgnoreCase);
        IsRead = text.AsSpan().TrimStart().StartsWith("SELECT", StringComparison.OrdinalIgnoreCase);
        ReturnsRows |= IsRead;
    }

    /// <summary>The text with numbered parameters.</summary>
    public string Text { get; }

    /// <summary>Whether the statement only reads, and so may run beside the writer.</summary>
    public bool IsRead { get; }

    /// <summary>
    /// Whether a run of its own may share one transaction with other callers' statements. Only for a statement that changes at most
    /// one row and that a caller may repeat.
    /// </summary>
    public bool MayShare { get; init; }

    /// <summary>Whether the engine answers with a result set, be it empty.</summary>
    internal bool ReturnsRows { get; }

    internal string[] Parameters { get; }

    /// <summary>Puts the arguments into the order of the statement's parameters; every parameter needs exactly one.</summary>
    internal Arg[] Order(ReadOnlySpan<Arg> args)
    {
        var ordered = new Arg[Parameters.Length];
        if (args.Length != ordered.Length)
        {
            throw new ArgumentException($"The statement takes {ordered.Length} arguments, not {args.Length}: {Text}", nameof(args));
        }

        foreach (var arg in args)
        {
            ref var place = ref ordered[IndexOf(arg.Name)];
            place = place.Name is null
                ? arg
                : throw new ArgumentException($"The argument @{arg.Name} was given twice: {Text}", nameof(args));
        }

        return ordered;
    }

    private int IndexOf(string name)
    {
        for (var i = 0; i < Parameters.Length; i++)
        {
            if (string.Equals(Parameters[i], name, StringComparison.Ordinal))
            {
                return i;
            }
        }

        throw new ArgumentException($"The statement has no parameter @{name}: {Text}", nameof(name));
    }
}

/// <summary>A named argument, written as a tuple: <c>("id", sessionId)</c>. Times are Unix milliseconds.</summary>
public readonly struct Arg
{
    internal enum Kind : byte
    {
        Number,
        Text,
        Id,
        Bytes,
    }

    private Arg(string name, Kind kind, long number = 0, object? reference = null, Guid id = default, bool isNull = false)
    {
        Name = name;
        Type = kind;
        Number = number;
        Reference = reference;
        Id = id;
        IsNull = isNull;
    }

    internal string Name { get; }

    internal Kind Type { get; }

    internal long Number { get; }

    internal object? Reference { get; }

    internal Guid Id { get; }

    internal bool IsNull { get; }

    /// <summary>An integer, a count or a time.</summary>
    public static implicit operator Arg((string Name, long Value) arg) => new(arg.Name, Kind.Number, arg.Value);

    /// <summary>An integer, a count or a time, or NULL.</summary>
    public static implicit operator Arg((string Name, long? Value) arg) =>
        new(arg.Name, Kind.Number, arg.Value ?? 0, isNull: arg.Value is null);

    /// <summary>A flag, stored as 0 or 1.</summary>
    public static implicit operator Arg((string Name, bool Value) arg) => new(arg.Name, Kind.Number, arg.Value ? 1 : 0);

    /// <summary>A text or NULL.</summary>
    public static implicit operator Arg((string Name, string? Value) arg) =>
        new(arg.Name, Kind.Text, reference: arg.Value, isNull: arg.Value is null);

    /// <summary>An id.</summary>
    public static implicit operator Arg((string Name, Guid Value) arg) => new(arg.Name, Kind.Id, id: arg.Value);

    /// <summary>An id or NULL.</summary>
    public static implicit operator Arg((string Name, Guid? Value) arg) =>
        new(arg.Name, Kind.Id, id: arg.Value ?? default, isNull: arg.Value is null);

    /// <summary>Bytes or NULL.</summary>
    public static implicit operator Arg((string Name, byte[]? Value) arg) =>
        new(arg.Name, Kind.Bytes, reference: arg.Value, isNull: arg.Value is null);
}
