using System.Buffers;
using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Gatehouse.Keys;

/// <summary>All keys at one moment; immutable, so a request that took it works on one consistent view.</summary>
public sealed class KeySet
{
    private readonly Held<SigningKey>[] signing;
    private readonly Held<RefreshKey>[] refresh;
    private readonly Held<SecretKey>[] secret;
    private readonly FrozenDictionary<long, RefreshKey> refreshByNumber;

    private KeySet(Held<SigningKey>[] signing, Held<RefreshKey>[] refresh, Held<SecretKey>[] secret)
    {
        this.signing = signing;
        this.refresh = refresh;
        this.secret = secret;
        refreshByNumber = refresh.ToFrozenDictionary(held => held.Row.Number, held => held.Key);
        Trusted = signing.ToFrozenDictionary(held => held.Key.Kid, held => held.Key, StringComparer.Ordinal);
        Signing = Current(signing, KeyUse.Signing);
        Refresh = Current(refresh, KeyUse.Refresh);
        Secret = Current(secret, KeyUse.Secret);
        Jwks = Render(signing);
    }

    /// <summary>The key that signs.</summary>
    public SigningKey Signing { get; }

    /// <summary>Every key whose tokens are believed, by kid: the current, the next, and the retired that still have tokens.</summary>
    public FrozenDictionary<string, SigningKey> Trusted { get; }

    /// <summary>The key for new sessions; an older session keeps its own, see <see cref="TryGetRefresh"/>.</summary>
    public RefreshKey Refresh { get; }

    /// <summary>The JWK set as UTF-8 JSON (RFC 7517 §5), public members only.</summary>
    public ReadOnlyMemory<byte> Jwks { get; }

    private SecretKey Secret { get; }

    /// <summary>The refresh key a session was opened under.</summary>
    public bool TryGetRefresh(long number, [NotNullWhen(true)] out RefreshKey? key) => refreshByNumber.TryGetValue(number, out key);

    /// <summary>The 32-byte key for a purpose (HKDF-SHA-256, RFC 5869). The array is shared: read it, never change it.</summary>
    public byte[] Derive(string purpose) => Secret.Derive(purpose);

    /// <summary>Whether tokens of the key are still believed.</summary>
    internal bool Trusts(SigningKey key)
    {
        foreach (var held in signing)
        {
            if (ReferenceEquals(held.Key, key) || held.Key.Kid == key.Kid)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The trusted key whose tokens begin with this header, without parsing it.</summary>
    internal SigningKey? FindByHeader(ReadOnlySpan<byte> encodedHeader)
    {
        foreach (var held in signing)
        {
            if (encodedHeader.SequenceEqual(held.Key.EncodedHeader))
            {
                return held.Key;
            }
        }

        return null;
    }

    internal IReadOnlyList<KeyInfo> List() =>
    [
        .. signing.Select(held => held.Row.Info(held.Key.Kid)),
        .. refresh.Select(held => held.Row.Info(kid: "")),
        .. secret.Select(held => held.Row.Info(kid: "")),
    ];

    /// <summary>Opens all rows; keys that the earlier set had opened already are taken from there.</summary>
    internal static KeySet Open(IReadOnlyList<KeyRow> rows, KeySet? earlier, MasterKey master) => new(
        Open(rows, KeyUse.Signing, earlier?.signing, master, OpenSigning),
        Open(rows, KeyUse.Refresh, earlier?.refresh, master, (row, key) => new RefreshKey(row.Number, key)),
        Open(rows, KeyUse.Secret, earlier?.secret, master, (_, key) => new SecretKey(key)));

    private static Held<T>[] Open<T>(
        IReadOnlyList<KeyRow> rows, KeyUse use, Held<T>[]? earlier, MasterKey master, Func<KeyRow, byte[], T> open) =>
    [
        .. rows.Where(row => row.Use == use).OrderBy(row => row.Number).Select(row =>
            Array.Find(earlier ?? [], held => held.Row.IsSameKey(row)) is { } known
                ? known with { Row = row }
                : new Held<T>(row, open(row, master.Open(use, row.Number, row.SealedKey)))),
    ];

    private static SigningKey OpenSigning(KeyRow row, byte[] pkcs8)
    {
        var key = new SigningKey(row.Number, pkcs8);
        return key.PublicKey.AsSpan().SequenceEqual(row.PublicKey)
            ? key
            : throw new KeyException($"The public and the sealed part of key {row.Number} do not belong together.");
    }

    private static T Current<T>(Held<T>[] held, KeyUse use) =>
        Array.Find(held, h => h.Row.State == KeyState.Current) is { } current
            ? current.Key
            : throw new KeyException($"The database has no current key for {KeyStore.Text(use)}.");

    private static byte[] Render(Held<SigningKey>[] signing)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using var writer = new Utf8JsonWriter(buffer);
        writer.WriteStartObject();
        writer.WriteStartArray("keys"u8);
        foreach (var held in signing)
        {
            held.Key.WriteJwk(writer);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private sealed record Held<T>(KeyRow Row, T Key);
}
