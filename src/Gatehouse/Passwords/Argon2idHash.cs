using System.Security.Cryptography;

namespace Gatehouse.Passwords;

/// <summary>Argon2id (RFC 9106): <c>$argon2id$v=19$m=19456,t=2,p=1$salt$tag</c>.</summary>
internal sealed class Argon2idHash(int memoryKiB, int passes) : IPasswordHash
{
    // A stored string is data: these bounds keep a hostile one from taking the machine's memory or time.
    public const int MaxMemoryKiB = 256 * 1024;
    public const int MaxPasses = 16;
    private const int MaxParallelism = 8;

    private const int Version = 19;
    private const int TagLength = 32;

    public string Algorithm => "argon2id";

    public PhcString Hash(ReadOnlySpan<byte> password, byte[] salt)
    {
        var tag = new byte[TagLength];
        Libargon2.Argon2id(passes, memoryKiB, parallelism: 1, password, salt, tag);
        return Write(salt, tag);
    }

    public bool Matches(ReadOnlySpan<byte> password, PhcString stored)
    {
        if (Cost(stored) is not var (memory, time, parallelism))
            return false;
        // Not "wrong password": the person may well be right, and only the operator can cure this.
        if (!Libargon2.IsAvailable)
            throw new InvalidOperationException("A stored password hash is Argon2id, and libargon2 is not installed.");

        Span<byte> tag = stackalloc byte[stored.Tag.Length];
        Libargon2.Argon2id(time, memory, parallelism, password, stored.Salt, tag);
        return CryptographicOperations.FixedTimeEquals(tag, stored.Tag);
    }

    public bool IsCurrent(PhcString stored) =>
        Cost(stored) is var (memory, time, _) && memory >= memoryKiB && time >= passes && stored.Tag.Length >= TagLength
        && stored.Salt.Length >= PasswordHashing.SaltLength;

    public PhcString Decoy(Randomness randomness) =>
        Write(randomness.Bytes(PasswordHashing.SaltLength), randomness.Bytes(TagLength));

    private PhcString Write(byte[] salt, byte[] tag) =>
        new(Algorithm, Version, [("m", memoryKiB), ("t", passes), ("p", 1)], salt, tag);

    private static (int MemoryKiB, int Passes, int Parallelism)? Cost(PhcString stored) =>
        stored is
        {
            Version: Version,
            Parameters: [("m", <= MaxMemoryKiB and var memory), ("t", >= 1 and <= MaxPasses and var time),
                ("p", >= 1 and <= MaxParallelism and var parallelism)],
            Salt.Length: >= 8 and <= 64,
            // A short tag would match many passwords.
            Tag.Length: >= 16 and <= 64,
        } && memory >= 8 * parallelism
            ? (memory, time, parallelism)
            : null;
}
