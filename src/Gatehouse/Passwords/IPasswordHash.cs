namespace Gatehouse.Passwords;

/// <summary>One way to hash a password: Argon2id, or PBKDF2 where the system has no libargon2.</summary>
internal interface IPasswordHash
{
    /// <summary>The identifier that begins this algorithm's PHC strings.</summary>
    string Algorithm { get; }

    PhcString Hash(ReadOnlySpan<byte> password, byte[] salt);

    /// <summary>False also for a stored string whose parameters are missing or outside the accepted bounds.</summary>
    bool Matches(ReadOnlySpan<byte> password, PhcString stored);

    /// <summary>Whether the stored string is at least as strong as what <see cref="Hash"/> would write today.</summary>
    bool IsCurrent(PhcString stored);

    /// <summary>A string that costs as much to check as a real one and that no password matches.</summary>
    PhcString Decoy(Randomness randomness);
}
