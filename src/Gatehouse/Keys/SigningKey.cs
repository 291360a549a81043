using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Gatehouse.Keys;

/// <summary>A P-256 key pair that signs and verifies access tokens (ES256, RFC 7518 §3.4).</summary>
public sealed class SigningKey
{
    internal const int SignatureLength = 64;
    private const DSASignatureFormat Format = DSASignatureFormat.IeeeP1363FixedFieldConcatenation;

    private readonly byte[] privateKey;
    private readonly string x;
    private readonly string y;

    // ECDsa is not documented as safe for several threads, and importing a key costs more than a signature.
    private readonly ConcurrentBag<ECDsa> idle = [];

    internal SigningKey(long number, byte[] pkcs8)
    {
        Number = number;
        privateKey = pkcs8;
        var ecdsa = Import();
        var point = ecdsa.ExportParameters(includePrivateParameters: false);
        if (point.Curve.Oid.Value != ECCurve.NamedCurves.nistP256.Oid.Value)
        {
            throw new KeyException($"Key {number} is not on P-256.");
        }

        x = Base64Url.EncodeToString(point.Q.X);
        y = Base64Url.EncodeToString(point.Q.Y);
        PublicKey = ecdsa.ExportSubjectPublicKeyInfo();
        Kid = Thumbprint(x, y);
        EncodedHeader = Base64Url.EncodeToUtf8(Encoding.ASCII.GetBytes($$"""{"alg":"ES256","typ":"at+jwt","kid":"{{Kid}}"}"""));
        idle.Add(ecdsa);
    }

    /// <summary>The key's number in the store.</summary>
    public long Number { get; }

    /// <summary>The JWK thumbprint (RFC 7638), which names the key in tokens.</summary>
    public string Kid { get; }

    /// <summary>The SubjectPublicKeyInfo (RFC 5280 §4.1).</summary>
    internal byte[] PublicKey { get; }

    /// <summary>The header of every access token this key signs, in base64url.</summary>
    internal byte[] EncodedHeader { get; }

    /// <summary>A new private key as PKCS#8.</summary>
    internal static (byte[] Pkcs8, byte[] PublicKey) Generate()
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return (ecdsa.ExportPkcs8PrivateKey(), ecdsa.ExportSubjectPublicKeyInfo());
    }

    /// <summary>The thumbprint of a P-256 key: the required members, in alphabetical order (RFC 7638 §3.2).</summary>
    internal static string Thumbprint(string x, string y) => Base64Url.EncodeToString(SHA256.HashData(
        Encoding.ASCII.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{x}}","y":"{{y}}"}""")));

    /// <summary>Signs into 64 bytes: r followed by s.</summary>
    internal void Sign(ReadOnlySpan<byte> data, Span<byte> signature)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(data, hash);
        var ecdsa = Rent();
        ecdsa.SignHash(hash, signature, Format);
        idle.Add(ecdsa);
    }

    /// <summary>Whether the 64 bytes are this key's signature of the data.</summary>
    internal bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(data, hash);
        var ecdsa = Rent();
        var isGenuine = signature.Length == SignatureLength && ecdsa.VerifyHash(hash, signature, Format);
        idle.Add(ecdsa);
        return isGenuine;
    }

    /// <summary>Writes the public JWK (RFC 7517 §4, RFC 7518 §6.2.1).</summary>
    internal void WriteJwk(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("kty"u8, "EC"u8);
        writer.WriteString("crv"u8, "P-256"u8);
        writer.WriteString("x"u8, x);
        writer.WriteString("y"u8, y);
        writer.WriteString("use"u8, "sig"u8);
        writer.WriteString("alg"u8, "ES256"u8);
        writer.WriteString("kid"u8, Kid);
        writer.WriteEndObject();
    }

    private ECDsa Rent() => idle.TryTake(out var ecdsa) ? ecdsa : Import();

    private ECDsa Import()
    {
        var ecdsa = ECDsa.Create();
        ecdsa.ImportPkcs8PrivateKey(privateKey, out _);
        return ecdsa;
    }
}
