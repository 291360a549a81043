using System.Security.Cryptography;

namespace Gatehouse.Passwords;

/// <summary>PBKDF2-HMAC-SHA512 (RFC 8018 §5.2): <c>$pbkdf2-sha512$i=210000$salt$tag</c>, for systems without libargon2.</summary>
internal sealed class Pbkdf2Hash(int iterations) : IPasswordHash
{
    public const int MaxIterations = 2_000_000;

    private const int TagLength = 64;

    public string Algorithm => "pbkdf2-sha512";

    public PhcString Hash(ReadOnlySpan<byte> password, byte[] salt)
    {
        var tag = new byte[TagLength];
        Rfc2898DeriveBytes.Pbkdf2(password, salt, tag, iterations, HashAlgorithmName.SHA512);
        return Write(salt, tag);
    }

    public bool Matches(ReadOnlySpan<byte> password, PhcString stored)
    {
        if (Iterations(stored) is not { } count)
            return false;

        Span<byte> tag = stackalloc byte[stored.Tag.Length];
        Rfc2898DeriveBytes.Pbkdf2(password, stored.Salt, tag, count, HashAlgorithmName.SHA512);
        return CryptographicOperations.FixedTimeEquals(tag, stored.Tag);
    }

    public bool IsCurrent(PhcString stored) =>
        Iterations(stored) >= iterations && stored.Tag.Length >= TagLength && stored.Salt.Length >= PasswordHashing.SaltLength;

    public PhcString Decoy(Randomness randomness) =>
        Write(randomness.Bytes(PasswordHashing.SaltLength), randomness.Bytes(TagLength));

    private PhcString Write(byte[] salt, byte[] tag) => new(Algorithm, Version: null, [("i", iterations)], salt, tag);

    private static int? Iterations(PhcString stored) =>
        stored is
        {
            Version: null,
            Parameters: [("i", >= 1 and <= MaxIterations and var count)],
            Salt.Length: >= 8 and <= 64,
            Tag.Length: >= 16 and <= TagLength,
        }
            ? count
            : null;
}
