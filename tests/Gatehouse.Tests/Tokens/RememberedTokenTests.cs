using Gatehouse.Tokens;
using Xunit;

namespace Gatehouse.Tests.Tokens;

public sealed class RememberedTokenTests : TokenFixture
{
    [Fact]
    public void A_remembered_token_is_checked_without_allocation()
    {
        var token = Signer.Sign(Forge.Token);
        Assert.InRange(token.Length, 500, 1024);
        for (var i = 0; i < 1000; i++)
        {
            Verifier.Verify(token);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            Verifier.Verify(token);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Only_genuine_tokens_are_remembered()
    {
        var token = Signer.Sign(Forge.Token);
        Verifier.Verify(token + "A");
        Verifier.Verify(token.AsSpan(0, token.Length - 4));
        Verifier.Verify("junk");
        Assert.Equal(0, Verifier.Remembered);

        Verifier.Verify(token);
        Assert.Equal(1, Verifier.Remembered);
    }

    [Fact]
    public void Never_more_are_remembered_than_the_limit()
    {
        var tokens = new RecentCache<TokenHash, VerifiedToken>(limit: 100);
        var entry = new VerifiedToken(Forge.Token, Key);

        Parallel.For(0, 10_000, i =>
        {
            tokens.Add(new TokenHash(0, (UInt128)i), entry);
            Assert.InRange(tokens.Count, 0, 100);
        });

        Assert.InRange(tokens.Count, 50, 100);
    }

    [Fact]
    public void What_is_used_outlives_what_is_not()
    {
        var tokens = new RecentCache<TokenHash, VerifiedToken>(limit: 100);
        var entry = new VerifiedToken(Forge.Token, Key);
        for (var i = 0; i < 1000; i++)
        {
            tokens.Add(new TokenHash(1, (UInt128)i), entry);
            if (i % 10 == 0)
            {
                Assert.Same(i == 0 ? null : entry, tokens.Find(new TokenHash(2, 0)));
                tokens.Add(new TokenHash(2, 0), entry);
            }
        }

        Assert.Null(tokens.Find(new TokenHash(1, 0)));
        Assert.NotNull(tokens.Find(new TokenHash(1, 999)));
    }
}
