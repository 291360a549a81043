using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Gatehouse.Keys;

namespace Gatehouse.Tokens;

/// <summary>The SHA-256 of a whole token text.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct TokenHash(UInt128 High, UInt128 Low)
{
    public static TokenHash Of(ReadOnlySpan<byte> token)
    {
        Span<UInt128> hash = stackalloc UInt128[2];
        SHA256.HashData(token, MemoryMarshal.AsBytes(hash));
        return new TokenHash(hash[0], hash[1]);
    }

    public override int GetHashCode() => (int)(ulong)Low;
}

/// <summary>
/// A token whose signature and shape were good, with the key that said so. It holds no decision: time, audience and trust in the
/// key are asked again each time. Both answers are made once, so that the hot path allocates nothing.
/// </summary>
internal sealed class VerifiedToken(AccessToken token, SigningKey key)
{
    public AccessToken Token => token;

    public SigningKey Key => key;

    public TokenCheck.Verified Verified { get; } = new(token);

    public TokenCheck.Expired Expired { get; } = new(token);
}

/// <summary>
/// Remembers verified tokens in two generations: the young one takes what is used, and when it is full it becomes the old one
/// and the old one is forgotten. Reads take no lock; there are never more than the limit.
/// </summary>
internal sealed class VerifiedTokens(int limit)
{
    private readonly int half = Math.Max(1, limit / 2);
    private readonly Lock gate = new();
    private volatile Generations generations = new(new(), new());

    /// <summary>How many tokens are held.</summary>
    public int Count => generations is var g ? g.Young.Count + g.Old.Count : 0;

    public VerifiedToken? Find(TokenHash hash)
    {
        var now = generations;
        if (now.Young.TryGetValue(hash, out var token))
        {
            return token;
        }

        if (now.Old.TryGetValue(hash, out token))
        {
            Add(hash, token);
        }

        return token;
    }

    public void Add(TokenHash hash, VerifiedToken token)
    {
        while (true)
        {
            var now = generations;
            if (now.TryReserve(half))
            {
                now.Young.TryAdd(hash, token);
                return;
            }

            lock (gate)
            {
                if (ReferenceEquals(generations, now))
                {
                    generations = new Generations(new(), now.Young);
                }
            }
        }
    }

    private sealed class Generations(
        ConcurrentDictionary<TokenHash, VerifiedToken> young, ConcurrentDictionary<TokenHash, VerifiedToken> old)
    {
        // Counted apart: the dictionary's own count takes all its locks.
        private int reserved;

        public ConcurrentDictionary<TokenHash, VerifiedToken> Young => young;

        public ConcurrentDictionary<TokenHash, VerifiedToken> Old => old;

        public bool TryReserve(int limit) => Interlocked.Increment(ref reserved) <= limit;
    }
}
