using System.Text;
using System.Text.Json;

namespace Gatehouse.Http;

/// <summary>What a request record asks of one member; the OpenAPI document is made from it.</summary>
internal sealed record FieldShape(string Name, string Type, bool IsRequired = false)
{
    public int? MaxLength { get; init; }

    public string? Format { get; init; }

    public bool? Otherwise { get; init; }

    /// <summary>The other name under which the member may come instead.</summary>
    public string? Alias { get; init; }

    public IReadOnlyList<string> Allowed { get; init; } = [];

    /// <summary>Bounds of a number.</summary>
    public int? Least { get; init; }

    public int? Most { get; init; }

    /// <summary>What an object holds.</summary>
    public IReadOnlyList<FieldShape> Members { get; init; } = [];
}

/// <summary>The members of a body, read one by one; what is wrong with any of them is collected.</summary>
/// <param name="body">The body; undefined when there is none.</param>
/// <param name="shapes">Where to note what was asked for, when somebody wants to know.</param>
internal sealed class JsonFields(JsonElement body, List<FieldShape>? shapes = null)
{
    private readonly HashSet<string> asked = new(StringComparer.Ordinal);
    private readonly List<JsonFields> closed = [];
    private readonly List<FieldProblem> problems = [];
    private readonly string path = "";

    private JsonFields(JsonElement body, List<FieldShape>? shapes, List<FieldProblem> problems, string path)
        : this(body, shapes)
    {
        this.problems = problems;
        this.path = path;
    }

    /// <summary>Every bad field so far.</summary>
    public IReadOnlyList<FieldProblem> Problems => problems;

    /// <summary>Reports a field.</summary>
    public void Refuse(string field, string message) => problems.Add(new FieldProblem(path + field, message));

    /// <summary>Reports every member that nobody asked for.</summary>
    public void RefuseUnread()
    {
        foreach (var member in body.EnumerateObject().Where(member => !asked.Contains(member.Name)))
        {
            Refuse(member.Name, "is not known here.");
        }

        closed.ForEach(inner => inner.RefuseUnread());
    }

    /// <summary>A text that must be there, of at most so many characters.</summary>
    public string Text(string field, int maxLength)
    {
        shapes?.Add(new FieldShape(field, "string", IsRequired: true) { MaxLength = maxLength });
        return Required(field, Read(field, maxLength));
    }

    /// <summary>A text of at most so many characters, or null.</summary>
    public string? OptionalText(string field, int maxLength)
    {
        shapes?.Add(new FieldShape(field, "string") { MaxLength = maxLength });
        return Read(field, maxLength);
    }

    /// <summary>A text that must be there under its name or an alias, whatever it holds; for what is only compared and never stored.</summary>
    public string AnyText(string field, string alias)
    {
        shapes?.Add(new FieldShape(field, "string", IsRequired: true) { Alias = alias });
        var text = ReadAny(alias) ?? ReadAny(field);
        if (text is null && problems.Count == 0)
        {
            Refuse(field, "is required.");
        }

        return text ?? "";
    }

    /// <summary>A password that must be there, of at most 1,024 bytes.</summary>
    public string Password(string field)
    {
        const int maxBytes = 1024;
        shapes?.Add(new FieldShape(field, "string", IsRequired: true) { MaxLength = maxBytes, Format = "password" });
        var password = Required(field, ReadAny(field));
        if (Encoding.UTF8.GetByteCount(password) > maxBytes)
        {
            Refuse(field, $"must have at most {maxBytes} bytes in UTF-8.");
        }

        return password;
    }

    /// <summary>One of a few texts, or null.</summary>
    public string? OneOf(string field, IReadOnlyList<string> allowed)
    {
        shapes?.Add(new FieldShape(field, "string") { Allowed = allowed });
        var value = Read(field, int.MaxValue);
        if (value is not null && !allowed.Contains(value, StringComparer.Ordinal))
        {
            Refuse(field, $"must be one of {string.Join(", ", allowed)}.");
        }

        return value;
    }

    /// <summary>A flag, or what it is when missing.</summary>
    public bool Flag(string field, bool otherwise)
    {
        shapes?.Add(new FieldShape(field, "boolean") { Otherwise = otherwise });
        if (!TryGet(field, out var value))
        {
            return otherwise;
        }

        if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            Refuse(field, "must be true or false.");
            return otherwise;
        }

        return value.ValueKind == JsonValueKind.True;
    }

    private string Required(string field, string? text)
    {
        if (string.IsNullOrEmpty(text) && !problems.Exists(p => p.Field == path + field))
        {
            Refuse(field, "is required.");
        }

        return text ?? "";
    }

    // NUL is refused, since PostgreSQL cannot store it.
    private string? Read(string field, int maxLength)
    {
        var text = ReadAny(field);
        if (text is null)
        {
            return null;
        }

        if (text.Contains('\0', StringComparison.Ordinal))
        {
            Refuse(field, "must not contain the character NUL.");
            return null;
        }

        if (text.Length > maxLength)
        {
            Refuse(field, $"must have at most {maxLength} characters.");
            return null;
        }

        return text;
    }

    private string? ReadAny(string field)
    {
        if (!TryGet(field, out var value))
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.String)
        {
            Refuse(field, "must be a string.");
            return null;
        }

        var text = Decode(value);
        if (text is null)
        {
            Refuse(field, "is not valid Unicode text.");
        }

        return text;
    }

    /// <summary>
    /// An object within the body, read member by member, or null; what is wrong in there is reported here, by path. An open one may have
    /// more members than are known, whatever the surface says.
    /// </summary>
    public T? Object<T>(string field, Func<JsonFields, T?> read, bool isRequired = false, bool isOpen = false)
        where T : class
    {
        if (shapes is not null)
        {
            var members = new List<FieldShape>();
            read(new JsonFields(default, members));
            shapes.Add(new FieldShape(field, "object", isRequired) { Members = members });
        }

        if (!TryGet(field, out var value))
        {
            if (isRequired)
            {
                Refuse(field, "is required.");
            }

            return null;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            Refuse(field, "must be an object.");
            return null;
        }

        var inner = new JsonFields(value, shapes: null, problems, $"{path}{field}.");
        if (!isOpen)
        {
            closed.Add(inner);
        }

        return read(inner);
    }

    /// <summary>A whole number that must be there, within bounds.</summary>
    public int Number(string field, int least, int most)
    {
        shapes?.Add(new FieldShape(field, "integer", IsRequired: true) { Least = least, Most = most });
        if (!TryGet(field, out var value))
        {
            Refuse(field, "is required.");
            return least;
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= least && number <= most)
        {
            return number;
        }

        Refuse(field, $"must be a whole number from {least} to {most}.");
        return least;
    }

    // A member that is null counts as missing.
    private bool TryGet(string field, out JsonElement value)
    {
        value = default;
        asked.Add(field);
        return body.ValueKind == JsonValueKind.Object
            && body.TryGetProperty(field, out value)
            && value.ValueKind != JsonValueKind.Null;
    }

    // An unpaired surrogate or a byte that is no UTF-8 passes the parser and only shows when the text is asked for.
    private static string? Decode(JsonElement value)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
