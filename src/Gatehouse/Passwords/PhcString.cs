using System.Collections.Immutable;
using System.Globalization;

namespace Gatehouse.Passwords;

/// <summary>
/// A stored hash in the PHC string format: <c>$algorithm$v=version$name=value,…$salt$tag</c>, base64 without padding.
/// </summary>
internal sealed record PhcString(
    string Algorithm, int? Version, ImmutableArray<(string Name, int Value)> Parameters, byte[] Salt, byte[] Tag)
{
    private const int MaxLength = 512;

    /// <summary>Reads only what <see cref="ToString"/> writes: one spelling per value, nothing else in between.</summary>
    public static PhcString? Parse(string? text)
    {
        if (text is null || text.Length > MaxLength)
            return null;

        var parts = text.Split('$');
        int? version = null;
        if (parts.Length == 6)
        {
            if (ParsePair(parts[2]) is not ("v", var number))
                return null;
            version = number;
        }
        else if (parts.Length != 5)
        {
            return null;
        }

        var parameters = ImmutableArray.CreateBuilder<(string, int)>();
        foreach (var item in parts[^3].Split(','))
        {
            if (ParsePair(item) is not { } pair)
                return null;
            parameters.Add(pair);
        }

        return parts[0].Length == 0 && FromBase64(parts[^2]) is { } salt && FromBase64(parts[^1]) is { } tag
            ? new PhcString(parts[1], version, parameters.ToImmutable(), salt, tag)
            : null;
    }

    public override string ToString()
    {
        var version = Version is { } number ? string.Create(CultureInfo.InvariantCulture, $"$v={number}") : "";
        var parameters = string.Join(',', Parameters.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Name}={p.Value}")));
        return $"${Algorithm}{version}${parameters}${ToBase64(Salt)}${ToBase64(Tag)}";
    }

    private static (string Name, int Value)? ParsePair(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals < 1 || !int.TryParse(text.AsSpan(equals + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            return null;
        var hasLeadingZero = text[equals + 1] == '0' && text.Length > equals + 2;
        return hasLeadingZero ? null : (text[..equals], value);
    }

    private static string ToBase64(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=');

    private static byte[]? FromBase64(string text)
    {
        var padded = text.PadRight((text.Length + 3) / 4 * 4, '=');
        var bytes = new byte[padded.Length / 4 * 3];
        if (!Convert.TryFromBase64String(padded, bytes, out var count))
            return null;
        // The framework skips white space and ignores left-over bits; writing the bytes again refuses both.
        var exact = bytes[..count];
        return ToBase64(exact).Equals(text, StringComparison.Ordinal) ? exact : null;
    }
}
