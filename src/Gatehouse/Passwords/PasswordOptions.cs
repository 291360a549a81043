using System.Runtime.CompilerServices;

namespace Gatehouse.Passwords;

/// <summary>How much work one password costs, and how much of that work the server accepts at once.</summary>
public sealed record PasswordOptions
{
    /// <summary>Argon2id memory per hash, in KiB.</summary>
    public int MemoryKiB { get; init; } = 19_456;

    /// <summary>Argon2id passes over that memory.</summary>
    public int Passes { get; init; } = 2;

    /// <summary>Rounds of PBKDF2-HMAC-SHA512, which is used only where libargon2 is absent.</summary>
    public int Pbkdf2Iterations { get; init; } = 210_000;

    /// <summary>Dedicated hashing threads; each may hold <see cref="MemoryKiB"/> at a time.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Passwords that may wait for a thread; the next one is answered busy at once.</summary>
    public int QueueLimit { get; init; } = 256;

    /// <summary>A password that waited longer than this is answered busy without hashing it.</summary>
    public TimeSpan QueueTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>What is wrong with the options, one sentence each: what cannot work, or makes hashes that we would refuse to read.</summary>
    public IEnumerable<string> Problems() => new[]
    {
        Check(MemoryKiB, 8, Argon2idHash.MaxMemoryKiB),
        Check(Passes, 1, Argon2idHash.MaxPasses),
        Check(Pbkdf2Iterations, 1, Pbkdf2Hash.MaxIterations),
        Check(Threads, 1, 1024),
        Check(QueueLimit, 1, int.MaxValue),
    }.OfType<string>();

    private static string? Check(int value, int least, int most, [CallerArgumentExpression(nameof(value))] string? name = null) =>
        value >= least && value <= most ? null : $"Gatehouse:Passwords:{name} must be between {least} and {most}, not {value}.";
}
