using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gatehouse.Keys;

namespace Gatehouse.Tokens;

/// <summary>Writes access tokens: JWTs of type <c>at+jwt</c> (RFC 9068), signed by the current key.</summary>
public sealed class AccessTokenSigner(KeyRing keys)
{
    private static readonly int SignatureLength = Base64Url.GetEncodedLength(SigningKey.SignatureLength);

    // The claims travel in base64url, so nothing needs the escapes that protect HTML.
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // Kept per thread, because both are larger than what they write.
    [ThreadStatic]
    private static ArrayBufferWriter<byte>? buffer;

    [ThreadStatic]
    private static Utf8JsonWriter? writer;

    /// <summary>The token in its compact form (RFC 7515 §7.1).</summary>
    public string Sign(AccessToken token)
    {
        ArgumentNullException.ThrowIfNull(token);
        var key = keys.Current.Signing;
        var claims = WriteClaims(token);
        var signedLength = key.EncodedHeader.Length + 1 + Base64Url.GetEncodedLength(claims.Length);
        var length = signedLength + 1 + SignatureLength;
        if (length > JwtCodec.MaxLength)
        {
            throw new ArgumentException(
                $"The token would have {length} characters, and no verifier reads more than {JwtCodec.MaxLength}.", nameof(token));
        }

        var text = ArrayPool<byte>.Shared.Rent(length);
        key.EncodedHeader.CopyTo(text, 0);
        text[key.EncodedHeader.Length] = (byte)'.';
        Base64Url.EncodeToUtf8(claims, text.AsSpan(key.EncodedHeader.Length + 1), out _, out _);
        text[signedLength] = (byte)'.';
        Span<byte> signature = stackalloc byte[SigningKey.SignatureLength];
        key.Sign(text.AsSpan(0, signedLength), signature);
        Base64Url.EncodeToUtf8(signature, text.AsSpan(signedLength + 1), out _, out _);
        var compact = Encoding.ASCII.GetString(text, 0, length);
        ArrayPool<byte>.Shared.Return(text);
        return compact;
    }

    private static ReadOnlySpan<byte> WriteClaims(AccessToken token)
    {
        var claims = buffer ??= new ArrayBufferWriter<byte>(1024);
        var json = writer ??= new Utf8JsonWriter(claims, Relaxed);
        claims.ResetWrittenCount();
        json.Reset();
        JwtCodec.WriteClaims(json, token);
        json.Flush();
        return claims.WrittenSpan;
    }
}
