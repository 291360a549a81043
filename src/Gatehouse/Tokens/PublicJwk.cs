using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Gatehouse.Tokens;

/// <summary>A client's public key: elliptic curve P-256 only (RFC 7517, RFC 7518 §6.2).</summary>
public sealed record PublicJwk(string X, string Y)
{
    private const int CoordinateLength = 32;

    /// <summary>The key's SHA-256 thumbprint in base64url (RFC 7638 §3).</summary>
    public string Thumbprint => Base64Url.EncodeToString(
        SHA256.HashData(Encoding.UTF8.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{X}}","y":"{{Y}}"}""")));

    /// <summary>Makes a key of its members; false unless they are a point on the curve.</summary>
    public static bool TryCreate(string kty, string crv, string x, string y, [NotNullWhen(true)] out PublicJwk? key)
    {
        key = null;
        if (kty != "EC" || crv != "P-256" || !TryDecode(x, out var xBytes) || !TryDecode(y, out var yBytes))
        {
            return false;
        }

        try
        {
            using var ec = ECDsa.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new ECPoint { X = xBytes, Y = yBytes },
            });
        }
        catch (CryptographicException)
        {
            return false;
        }

        key = new PublicJwk(x, y);
        return true;
    }

    private static bool TryDecode(string text, out byte[] bytes)
    {
        bytes = new byte[CoordinateLength];
        return text.Length == Base64Url.GetEncodedLength(CoordinateLength)
            && Base64Url.TryDecodeFromChars(text, bytes, out var written) && written == CoordinateLength
            && Base64Url.EncodeToString(bytes) == text;
    }
}
