using System.Buffers;
using System.Text;
using Gatehouse.Keys;

namespace Gatehouse.Tokens;

/// <summary>
/// Verifies access tokens (RFC 9068 §4, RFC 8725). It says what a token is worth by itself; whether its session is alive is for
/// the caller to ask.
/// </summary>
public sealed class AccessTokenVerifier(KeyRing keys, TimeProvider time, TokenOptions options)
{
    private const int OnStack = 1024;
    private const long ClockSkew = 60;

    private readonly RecentCache<TokenHash, VerifiedToken> known = new(options.VerifiedCache);

    /// <summary>How many verified tokens are remembered.</summary>
    internal int Remembered => known.Count;

    /// <summary>Checks a first-party token.</summary>
    public TokenCheck Verify(ReadOnlySpan<char> token) => Check(token, options.Audience);

    /// <summary>Checks a token for the given audience.</summary>
    public TokenCheck Verify(ReadOnlySpan<char> token, string audience)
    {
        ArgumentNullException.ThrowIfNull(audience);
        return Check(token, audience);
    }

    /// <summary>Checks a token whoever it is for: for introspection and revocation, never to let a request in.</summary>
    public TokenCheck VerifyForAnyAudience(ReadOnlySpan<char> token) => Check(token, audience: null);

    /// <summary>As <see cref="Verify(ReadOnlySpan{char})"/>, but asks the store once about a key that is unknown here.</summary>
    public ValueTask<TokenCheck> VerifyAsync(ReadOnlyMemory<char> token, CancellationToken ct) => CheckAsync(token, options.Audience, ct);

    /// <summary>As <see cref="Verify(ReadOnlySpan{char}, string)"/>, but asks the store once about a key that is unknown here.</summary>
    public ValueTask<TokenCheck> VerifyAsync(ReadOnlyMemory<char> token, string audience, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(audience);
        return CheckAsync(token, audience, ct);
    }

    /// <summary>As <see cref="VerifyForAnyAudience"/>, but asks the store once about a key that is unknown here.</summary>
    public ValueTask<TokenCheck> VerifyForAnyAudienceAsync(ReadOnlyMemory<char> token, CancellationToken ct) =>
        CheckAsync(token, audience: null, ct);

    private ValueTask<TokenCheck> CheckAsync(ReadOnlyMemory<char> token, string? audience, CancellationToken ct)
    {
        var check = Check(token.Span, audience);
        return check is TokenCheck.UnknownKey ? CheckAgain(token, audience, ct) : ValueTask.FromResult(check);
    }

    private async ValueTask<TokenCheck> CheckAgain(ReadOnlyMemory<char> token, string? audience, CancellationToken ct)
    {
        await keys.ReloadForUnknownKid(ct);
        return Check(token.Span, audience) is var check and not TokenCheck.UnknownKey ? check : TokenCheck.Invalid.Instance;
    }

    private TokenCheck Check(ReadOnlySpan<char> token, string? audience)
    {
        if (token.IsEmpty || token.Length > JwtCodec.MaxLength)
        {
            return TokenCheck.Invalid.Instance;
        }

        if (token.Length <= OnStack)
        {
            return Check(token, stackalloc byte[OnStack], audience);
        }

        var rented = ArrayPool<byte>.Shared.Rent(token.Length);
        var check = Check(token, rented, audience);
        ArrayPool<byte>.Shared.Return(rented);
        return check;
    }

    private TokenCheck Check(ReadOnlySpan<char> token, Span<byte> buffer, string? audience)
    {
        if (Ascii.FromUtf16(token, buffer, out var length) != OperationStatus.Done)
        {
            return TokenCheck.Invalid.Instance;
        }

        var bytes = buffer[..length];
        var hash = TokenHash.Of(bytes);
        var set = keys.Current;
        if (known.Find(hash) is { } remembered)
        {
            return Judge(remembered, set, audience);
        }

        if (!JwtCodec.TrySplit(bytes, out var parts) || !TryFindKey(parts.Header, set, out var key))
        {
            return TokenCheck.Invalid.Instance;
        }

        if (key is null)
        {
            return TokenCheck.UnknownKey.Instance;
        }

        if (ReadGenuine(parts, key) is not { } claims)
        {
            return TokenCheck.Invalid.Instance;
        }

        var verified = new VerifiedToken(claims, key);
        known.Add(hash, verified);
        return Judge(verified, set, audience);
    }

    /// <summary>False when the header is not one of an access token; no key when it names one that is not known.</summary>
    private static bool TryFindKey(ReadOnlySpan<byte> header, KeySet set, out SigningKey? key)
    {
        key = set.FindByHeader(header);
        if (key is not null)
        {
            return true;
        }

        if (!JwtCodec.TryReadHeader(header, out var kid))
        {
            return false;
        }

        key = set.Trusted.GetValueOrDefault(kid);
        return true;
    }

    /// <summary>The claims, once the signature says that they are ours.</summary>
    private AccessToken? ReadGenuine(JwtParts parts, SigningKey key)
    {
        Span<byte> signature = stackalloc byte[SigningKey.SignatureLength];
        if (!StrictBase64Url.TryDecode(parts.Signature, ref signature) || !key.Verify(parts.Signed, signature))
        {
            return null;
        }

        Span<byte> payload = stackalloc byte[JwtCodec.MaxLength / 4 * 3];
        return StrictBase64Url.TryDecode(parts.Payload, ref payload) && JwtCodec.TryReadClaims(payload, options.Issuer, out var token)
            ? token
            : null;
    }

    private TokenCheck Judge(VerifiedToken token, KeySet set, string? audience)
    {
        if (!set.Trusts(token.Key))
        {
            return TokenCheck.UnknownKey.Instance;
        }

        var now = time.GetUtcNow().ToUnixTimeSeconds();
        if ((audience is not null && token.Token.Audience != audience) || token.Token.IssuedAt > now + ClockSkew)
        {
            return TokenCheck.Invalid.Instance;
        }

        return now < token.Token.ExpiresAt ? token.Verified : token.Expired;
    }
}
