using System.Text.Json;
using System.Text.Unicode;

namespace Gatehouse.Tokens;

/// <summary>The three parts of a token, still encoded.</summary>
internal readonly ref struct JwtParts
{
    /// <summary>The encoded header.</summary>
    public required ReadOnlySpan<byte> Header { get; init; }

    /// <summary>The encoded payload.</summary>
    public required ReadOnlySpan<byte> Payload { get; init; }

    /// <summary>The encoded signature.</summary>
    public required ReadOnlySpan<byte> Signature { get; init; }

    /// <summary>What the signature covers: header, dot, payload (RFC 7515 §5.1).</summary>
    public required ReadOnlySpan<byte> Signed { get; init; }
}

/// <summary>
/// The compact form of our access tokens (RFC 7515 §7.1, RFC 9068), without keys or time. It reads one narrow shape and refuses
/// everything else; nothing in a header ever chooses an algorithm or a place to fetch a key from (RFC 8725 §3.1, §3.10).
/// </summary>
internal static class JwtCodec
{
    /// <summary>The longest token that is looked at, in characters.</summary>
    public const int MaxLength = 4096;

    /// <summary>The longest encoded header that is looked at.</summary>
    private const int MaxHeaderLength = 512;

    private static readonly JsonReaderOptions Strict = new() { MaxDepth = 8 };

    /// <summary>Cuts the token at its two dots.</summary>
    public static bool TrySplit(ReadOnlySpan<byte> token, out JwtParts parts)
    {
        parts = default;
        var first = token.IndexOf((byte)'.');
        var last = token.LastIndexOf((byte)'.');
        if (token.Length > MaxLength || first <= 0 || last - first <= 1 || last == token.Length - 1 || token.Count((byte)'.') != 2)
        {
            return false;
        }

        parts = new JwtParts
        {
            Header = token[..first],
            Payload = token[(first + 1)..last],
            Signature = token[(last + 1)..],
            Signed = token[..last],
        };
        return true;
    }

    /// <summary>Reads the <c>kid</c> of a header that holds exactly <c>alg</c> ES256, <c>typ</c> at+jwt and <c>kid</c>.</summary>
    public static bool TryReadHeader(ReadOnlySpan<byte> encoded, out string kid)
    {
        kid = "";
        Span<byte> json = stackalloc byte[MaxHeaderLength];
        return encoded.Length <= MaxHeaderLength
            && StrictBase64Url.TryDecode(encoded, ref json)
            && Utf8.IsValid(json)
            && TryParse(json, ReadHeader, out kid!);
    }

    /// <summary>Reads the decoded payload of a token of this issuer; every claim present once and of its type.</summary>
    public static bool TryReadClaims(ReadOnlySpan<byte> json, string issuer, out AccessToken? token)
    {
        token = null;
        return Utf8.IsValid(json)
            && TryParse(json, (ref Utf8JsonReader reader) => ClaimsReader.Read(ref reader, issuer), out token);
    }

    /// <summary>Writes the payload.</summary>
    public static void WriteClaims(Utf8JsonWriter writer, AccessToken token)
    {
        writer.WriteStartObject();
        writer.WriteString("iss"u8, token.Issuer);
        writer.WriteString("sub"u8, token.Subject);
        writer.WriteString("aud"u8, token.Audience);
        writer.WriteNumber("exp"u8, token.ExpiresAt);
        writer.WriteNumber("iat"u8, token.IssuedAt);
        writer.WriteString("jti"u8, token.TokenId);
        writer.WriteString("sid"u8, token.SessionId);
        if (token.TenantId is { } tenant)
        {
            writer.WriteString("tid"u8, tenant);
        }
        else
        {
            writer.WriteNull("tid"u8);
        }

        writer.WriteString("scope"u8, token.Scope);
        writer.WriteStartArray("amr"u8);
        foreach (var method in token.Amr.AsSpan().Split(' '))
        {
            if (!token.Amr.AsSpan(method).IsEmpty)
            {
                writer.WriteStringValue(token.Amr.AsSpan(method));
            }
        }

        writer.WriteEndArray();
        writer.WriteNumber("auth_time"u8, token.AuthTime);
        if (token.ClientId.Length > 0)
        {
            writer.WriteString("client_id"u8, token.ClientId);
        }

        if (token.DpopThumbprint.Length > 0)
        {
            writer.WriteStartObject("cnf"u8);
            writer.WriteString("jkt"u8, token.DpopThumbprint);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private delegate T? Parse<T>(ref Utf8JsonReader reader);

    private static bool TryParse<T>(ReadOnlySpan<byte> json, Parse<T> parse, out T? value)
        where T : class
    {
        value = null;
        var reader = new Utf8JsonReader(json, Strict);
        try
        {
            value = reader.Read() && reader.TokenType == JsonTokenType.StartObject ? parse(ref reader) : null;

            // Reading on is what makes the reader object to a second value or trailing bytes.
            return value is not null && !reader.Read();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The reader has no Try form: this is its "no" (the second type is what it throws for a lone surrogate).
            value = null;
            return false;
        }
    }

    private static string? ReadHeader(ref Utf8JsonReader reader)
    {
        var hasAlg = false;
        var hasTyp = false;
        string? kid = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!hasAlg && reader.ValueTextEquals("alg"u8))
            {
                hasAlg = ClaimsReader.IsText(ref reader) && reader.ValueTextEquals("ES256"u8);
                if (!hasAlg)
                {
                    return null;
                }
            }
            else if (!hasTyp && reader.ValueTextEquals("typ"u8))
            {
                hasTyp = ClaimsReader.IsText(ref reader) && IsAccessTokenType(reader.GetString()!);
                if (!hasTyp)
                {
                    return null;
                }
            }
            else if (kid is null && reader.ValueTextEquals("kid"u8))
            {
                kid = ClaimsReader.IsText(ref reader) ? reader.GetString() : null;
                if (kid is null)
                {
                    return null;
                }
            }
            else
            {
                return null;
            }
        }

        return hasAlg && hasTyp ? kid : null;
    }

    // Media types compare without regard to case, and "application/" may be left out (RFC 7515 §4.1.9).
    private static bool IsAccessTokenType(string typ) =>
        typ.Equals("at+jwt", StringComparison.OrdinalIgnoreCase) || typ.Equals("application/at+jwt", StringComparison.OrdinalIgnoreCase);
}
