using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Gatehouse.Keys;

namespace Gatehouse.Tokens;

/// <summary>The SHA-256 of a whole token text.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct TokenHash(UInt128 High, UInt128 Low)
{
    public static TokenHash Of(ReadOnlySpan<byte> token)
    {
        Span<UInt128> hash = stackalloc UInt128[2];
        SHA256.HashData(token, MemoryMarshal.AsBytes(hash));
        return new TokenHash(hash[0], hash[1]);
    }

    public override int GetHashCode() => (int)(ulong)Low;
}

/// <summary>
/// A token whose signature and shape were good, with the key that said so. It holds no decision: time, audience and trust in the
/// key are asked again each time. Both answers are made once, so that the hot path allocates nothing.
/// </summary>
internal sealed class VerifiedToken(AccessToken token, SigningKey key)
{
    public AccessToken Token => token;

    public SigningKey Key => key;

    public TokenCheck.Verified Verified { get; } = new(token);

    public TokenCheck.Expired Expired { get; } = new(token);
}
