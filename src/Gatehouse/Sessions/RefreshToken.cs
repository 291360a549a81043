using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Gatehouse.Keys;
using Gatehouse.Tokens;

namespace Gatehouse.Sessions;

/// <summary>How a refresh token's session was opened; the number is its format byte.</summary>
public enum RefreshTokenKind
{
    /// <summary>Written <c>rt_…</c>.</summary>
    Direct = 1,

    /// <summary>Opened by a federated login, written <c>rt_oauth_…</c>.</summary>
    Federated = 2,
}

/// <summary>
/// A refresh token. It is derived, not stored: format (1) ‖ key number (4) ‖ session (16) ‖ generation (4) ‖ session secret (16) ‖
/// HMAC-SHA-256 of all that, cut to 16; in base64url after its prefix. Junk is told apart without asking the database.
/// </summary>
public readonly record struct RefreshToken(RefreshTokenKind Kind, long KeyNumber, Guid SessionId, uint Generation, byte[] Secret)
{
    /// <summary>The length of a session's secret.</summary>
    public const int SecretLength = 16;

    private const string DirectPrefix = "rt_";
    private const string FederatedPrefix = "rt_oauth_";
    private const int MacLength = 16;
    private const int SignedLength = 1 + 4 + 16 + 4 + SecretLength;
    private const int Length = SignedLength + MacLength;
    private const int TextLength = Length / 3 * 4;

    /// <summary>Writes the token of a session's generation, under the key the session was opened with.</summary>
    public static string Write(RefreshTokenKind kind, RefreshKey key, Guid sessionId, uint generation, ReadOnlySpan<byte> secret)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (secret.Length != SecretLength)
        {
            throw new ArgumentException($"A session's secret has {SecretLength} bytes, not {secret.Length}.", nameof(secret));
        }

        Span<byte> bytes = stackalloc byte[Length];
        bytes[0] = (byte)kind;
        BinaryPrimitives.WriteUInt32BigEndian(bytes[1..], checked((uint)key.Number));
        sessionId.TryWriteBytes(bytes[5..], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[21..], generation);
        secret.CopyTo(bytes[25..]);
        Authenticate(key, bytes[..SignedLength], bytes[SignedLength..]);
        var prefix = kind == RefreshTokenKind.Federated ? FederatedPrefix : DirectPrefix;
        Span<char> text = stackalloc char[FederatedPrefix.Length + TextLength];
        prefix.CopyTo(text);
        Base64Url.EncodeToChars(bytes, text[prefix.Length..], out _, out _);
        return new string(text[..(prefix.Length + TextLength)]);
    }

    /// <summary>Reads a token that one of the keys has written; anything else is refused.</summary>
    public static bool TryRead(ReadOnlySpan<char> text, KeySet keys, out RefreshToken token) =>
        Read(text, keys, out token) == Outcome.Genuine;

    /// <summary>As <see cref="TryRead"/>, but asks the store once about a key that is unknown here; null when refused.</summary>
    public static async ValueTask<RefreshToken?> Read(string text, KeyRing keys, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var outcome = Read(text, keys.Current, out var token);
        if (outcome == Outcome.UnknownKey)
        {
            await keys.ReloadForUnknownKid(ct);
            outcome = Read(text, keys.Current, out token);
        }

        return outcome == Outcome.Genuine ? token : null;
    }

    private enum Outcome
    {
        Genuine,
        Invalid,
        UnknownKey,
    }

    private static Outcome Read(ReadOnlySpan<char> text, KeySet keys, out RefreshToken token)
    {
        token = default;
        var kind = text.StartsWith(FederatedPrefix, StringComparison.Ordinal) && text.Length == FederatedPrefix.Length + TextLength
            ? RefreshTokenKind.Federated
            : RefreshTokenKind.Direct;
        var prefix = kind == RefreshTokenKind.Federated ? FederatedPrefix : DirectPrefix;
        if (text.Length != prefix.Length + TextLength || !text.StartsWith(prefix, StringComparison.Ordinal))
        {
            return Outcome.Invalid;
        }

        Span<byte> ascii = stackalloc byte[TextLength];
        Span<byte> bytes = stackalloc byte[Length];
        if (Ascii.FromUtf16(text[prefix.Length..], ascii, out _) != OperationStatus.Done
            || !StrictBase64Url.TryDecode(ascii, ref bytes)
            || bytes[0] != (byte)kind)
        {
            return Outcome.Invalid;
        }

        var keyNumber = BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]);
        if (!keys.TryGetRefresh(keyNumber, out var key))
        {
            return Outcome.UnknownKey;
        }

        Span<byte> mac = stackalloc byte[MacLength];
        Authenticate(key, bytes[..SignedLength], mac);
        if (!CryptographicOperations.FixedTimeEquals(mac, bytes[SignedLength..]))
        {
            return Outcome.Invalid;
        }

        token = new RefreshToken(
            kind,
            keyNumber,
            new Guid(bytes.Slice(5, 16), bigEndian: true),
            BinaryPrimitives.ReadUInt32BigEndian(bytes[21..]),
            bytes.Slice(25, SecretLength).ToArray());
        return Outcome.Genuine;
    }

    private static void Authenticate(RefreshKey key, ReadOnlySpan<byte> signed, Span<byte> mac)
    {
        Span<byte> full = stackalloc byte[HMACSHA256.HashSizeInBytes];
        key.Authenticate(signed, full);
        full[..MacLength].CopyTo(mac);
    }
}
