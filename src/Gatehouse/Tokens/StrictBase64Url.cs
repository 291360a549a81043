using System.Buffers;
using System.Buffers.Text;

namespace Gatehouse.Tokens;

/// <summary>Base64url as RFC 7515 §2 means it: no padding, no whitespace, and one text only for the same bytes.</summary>
internal static class StrictBase64Url
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    private static readonly SearchValues<byte> Letters = SearchValues.Create([.. Alphabet.Select(letter => (byte)letter)]);

    /// <summary>Decodes into <paramref name="bytes"/>, which is cut to what was written; false when the text is not canonical.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> text, ref Span<byte> bytes)
    {
        var length = DecodedLength(text.Length);
        if (length < 0 || length > bytes.Length || text.ContainsAnyExcept(Letters) || !LastLetterIsCanonical(text))
        {
            return false;
        }

        bytes = bytes[..length];
        return Base64Url.DecodeFromUtf8(text, bytes, out _, out var written) == OperationStatus.Done && written == length;
    }

    /// <summary>How many bytes a text of this length holds, or −1 when no text has this length.</summary>
    public static int DecodedLength(int textLength) => (textLength % 4) switch
    {
        0 => textLength / 4 * 3,
        2 => (textLength / 4 * 3) + 1,
        3 => (textLength / 4 * 3) + 2,
        _ => -1,
    };

    // The last letter of a short group has 4 or 2 bits that belong to no byte; decoders ignore them, so many texts would be one token.
    private static bool LastLetterIsCanonical(ReadOnlySpan<byte> text) => (text.Length % 4) switch
    {
        2 => Alphabet.IndexOf((char)text[^1], StringComparison.Ordinal) % 16 == 0,
        3 => Alphabet.IndexOf((char)text[^1], StringComparison.Ordinal) % 4 == 0,
        _ => true,
    };
}
