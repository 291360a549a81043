using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Gatehouse.Keys;

/// <summary>The key that authenticates refresh tokens; its number travels in them.</summary>
public sealed class RefreshKey
{
    private readonly byte[] key;

    internal RefreshKey(long number, byte[] key)
    {
        Number = number;
        this.key = key;
    }

    /// <summary>The key's number in the store, which a session keeps.</summary>
    public long Number { get; }

    /// <summary>HMAC-SHA-256 of the data, 32 bytes.</summary>
    internal void Authenticate(ReadOnlySpan<byte> data, Span<byte> mac) => HMACSHA256.HashData(key, data, mac);
}

/// <summary>The root of all purpose keys.</summary>
internal sealed class SecretKey(byte[] root)
{
    private readonly ConcurrentDictionary<string, byte[]> derived = new(StringComparer.Ordinal);

    public byte[] Derive(string purpose) => derived.GetOrAdd(
        purpose,
        static (p, r) => HKDF.DeriveKey(HashAlgorithmName.SHA256, r, outputLength: 32, salt: [], Encoding.UTF8.GetBytes(p)),
        root);
}
