using System.Security.Cryptography;
using System.Text;

namespace Gatehouse.Passwords;

/// <summary>What a password turned out to be.</summary>
public enum PasswordCheck
{
    /// <summary>It does not match, or there is no readable hash to match.</summary>
    Wrong,

    /// <summary>It matches.</summary>
    Right,

    /// <summary>It matches, and the stored hash is weaker than today's settings: hash again and store the result.</summary>
    RightButOutdated,

    /// <summary>Too many passwords are waiting; nothing was checked.</summary>
    Busy,
}

/// <summary>The outcome of hashing a new password.</summary>
public abstract record HashedPassword
{
    private HashedPassword() { }

    /// <summary>The PHC string to store.</summary>
    public sealed record Done(string Hash) : HashedPassword;

    /// <summary>Too many passwords are waiting; nothing was hashed.</summary>
    public sealed record Busy : HashedPassword;
}

/// <summary>Hashes and checks passwords on threads of their own (decision 0010).</summary>
public sealed class PasswordHashing : IDisposable
{
    internal const int SaltLength = 16;

    // Longer passwords are hashed whole as well; these merely fit on the stack.
    private const int StackLimit = 1024;

    private readonly IPasswordHash current;
    private readonly IPasswordHash[] known;
    private readonly PhcString decoy;
    private readonly Randomness randomness;
    private readonly HashingThreads threads;

    /// <summary>Uses Argon2id where the system has libargon2, else PBKDF2-HMAC-SHA512; see <see cref="Algorithm"/>.</summary>
    public PasswordHashing(PasswordOptions options, Randomness randomness, TimeProvider time)
        : this(options, randomness, time, Choose(options))
    {
    }

    /// <summary>The first algorithm hashes new passwords; all of them check stored ones.</summary>
    internal PasswordHashing(PasswordOptions options, Randomness randomness, TimeProvider time, params IPasswordHash[] known)
    {
        this.known = known;
        this.randomness = randomness;
        current = known[0];
        decoy = current.Decoy(randomness);
        threads = new HashingThreads(options, time);
    }

    /// <summary><c>argon2id</c> or <c>pbkdf2-sha512</c>: what new passwords are hashed with on this machine.</summary>
    public string Algorithm => current.Algorithm;

    /// <summary>Passwords waiting for a thread.</summary>
    public int QueueLength => threads.Waiting;

    /// <summary>
    /// Checks a password. Pass null where no such user or no password exists: it costs the same work and is always wrong.
    /// </summary>
    public Task<PasswordCheck> Verify(string password, string? storedHash, CancellationToken cancellation) =>
        threads.Run(() => WithBytes(password, bytes => Check(bytes, storedHash)), PasswordCheck.Busy, cancellation);

    /// <summary>Hashes a new password under a fresh salt.</summary>
    public Task<HashedPassword> Hash(string password, CancellationToken cancellation) =>
        threads.Run<HashedPassword>(
            () => WithBytes(password, bytes => new HashedPassword.Done(current.Hash(bytes, randomness.Bytes(SaltLength)).ToString())),
            new HashedPassword.Busy(),
            cancellation);

    /// <summary>Stops the threads; whoever still waits is answered busy.</summary>
    public void Dispose() => threads.Dispose();

    private PasswordCheck Check(ReadOnlySpan<byte> password, string? storedHash)
    {
        var stored = PhcString.Parse(storedHash);
        var algorithm = stored is null ? null : Array.Find(known, k => k.Algorithm.Equals(stored.Algorithm, StringComparison.Ordinal));
        if (stored is null || algorithm is null)
        {
            current.Matches(password, decoy);
            return PasswordCheck.Wrong;
        }

        if (!algorithm.Matches(password, stored))
            return PasswordCheck.Wrong;
        return algorithm == current && current.IsCurrent(stored) ? PasswordCheck.Right : PasswordCheck.RightButOutdated;
    }

    private static T WithBytes<T>(string password, Func<ReadOnlySpan<byte>, T> use)
    {
        // The UTF-8 bytes as typed: without ICU, string.Normalize leaves everything as it is. They sit on the stack so that the
        // garbage collector cannot leave a copy behind.
        var length = Encoding.UTF8.GetByteCount(password);
        var bytes = length <= StackLimit ? stackalloc byte[length] : new byte[length];
        try
        {
            Encoding.UTF8.GetBytes(password, bytes);
            return use(bytes);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    private static IPasswordHash[] Choose(PasswordOptions options)
    {
        if (options.Problems().FirstOrDefault() is { } problem)
        {
            throw new ArgumentOutOfRangeException(nameof(options), problem);
        }

        var argon2id = new Argon2idHash(options.MemoryKiB, options.Passes);
        var pbkdf2 = new Pbkdf2Hash(options.Pbkdf2Iterations);
        return Libargon2.IsAvailable ? [argon2id, pbkdf2] : [pbkdf2, argon2id];
    }
}
