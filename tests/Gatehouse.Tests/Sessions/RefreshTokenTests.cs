using System.Buffers.Text;
using System.Security.Cryptography;
using Gatehouse.Keys;
using Gatehouse.Sessions;
using Gatehouse.Tests.Keys;
using Xunit;

namespace Gatehouse.Tests.Sessions;

public sealed class RefreshTokenTests : IAsyncLifetime
{
    private static readonly Guid Session = Guid.Parse("019bc0de-0000-7000-8000-0123456789ab");
    private static readonly byte[] Secret = [.. Enumerable.Range(0x10, 16).Select(i => (byte)i)];

    private KeyFixture fixture = null!;
    private KeyRing ring = null!;

    private KeySet Set => ring.Current;

    public async ValueTask InitializeAsync()
    {
        fixture = await KeyFixture.Create();
        ring = await fixture.Open();
    }

    public ValueTask DisposeAsync() => fixture.DisposeAsync();

    [Theory]
    [InlineData(RefreshTokenKind.Direct, "rt_")]
    [InlineData(RefreshTokenKind.Federated, "rt_oauth_")]
    public void What_is_written_reads_the_same(RefreshTokenKind kind, string prefix)
    {
        var text = RefreshToken.Write(kind, Set.Refresh, Session, 7, Secret);

        Assert.StartsWith(prefix, text, StringComparison.Ordinal);
        Assert.Equal(prefix.Length + 76, text.Length);
        Assert.True(RefreshToken.TryRead(text, Set, out var token));
        Assert.Equal((kind, Set.Refresh.Number, Session, 7u), (token.Kind, token.KeyNumber, token.SessionId, token.Generation));
        Assert.Equal(Secret, token.Secret);
        Assert.Equal(text, RefreshToken.Write(kind, Set.Refresh, Session, 7, Secret));
        Assert.NotEqual(text, RefreshToken.Write(kind, Set.Refresh, Session, 8, Secret));
    }

    [Theory]
    [InlineData(RefreshTokenKind.Direct)]
    [InlineData(RefreshTokenKind.Federated)]
    [Trait("Requirement", "C12")]
    public void Every_bit_flip_is_refused(RefreshTokenKind kind)
    {
        var text = RefreshToken.Write(kind, Set.Refresh, Session, 7, Secret);
        var prefix = text[..^76];
        var bytes = Base64Url.DecodeFromChars(text.AsSpan(prefix.Length));
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(RefreshToken.TryRead(prefix + Base64Url.EncodeToString(bytes), Set, out _));
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void Every_other_character_in_any_place_is_refused()
    {
        var text = RefreshToken.Write(RefreshTokenKind.Direct, Set.Refresh, Session, 7, Secret);
        for (var i = 0; i < text.Length; i++)
        {
            foreach (var other in "Aa0-_=+/ .\n\0é￿".Where(c => c != text[i]))
            {
                Assert.False(RefreshToken.TryRead($"{text[..i]}{other}{text[(i + 1)..]}", Set, out _), $"{i} {other}");
            }
        }
    }

    [Fact]
    public void A_token_under_the_other_prefix_is_refused()
    {
        var direct = RefreshToken.Write(RefreshTokenKind.Direct, Set.Refresh, Session, 7, Secret);
        var federated = RefreshToken.Write(RefreshTokenKind.Federated, Set.Refresh, Session, 7, Secret);

        Assert.False(RefreshToken.TryRead("rt_oauth_" + direct[3..], Set, out _));
        Assert.False(RefreshToken.TryRead("rt_" + federated[9..], Set, out _));
    }

    [Fact]
    public void Junk_is_refused()
    {
        var text = RefreshToken.Write(RefreshTokenKind.Direct, Set.Refresh, Session, 7, Secret);
        string[] junk =
        [
            "", "rt_", "rt_oauth_", text[3..], text[..^1], text + "A", text + "=", text + "====", " " + text, text + " ", "RT_" + text[3..],
            "rt_" + new string('A', 76), "rt_oauth_" + new string('A', 76), new string('A', 100_000), "pat_" + text[3..],
        ];

        Assert.All(junk, candidate => Assert.False(RefreshToken.TryRead(candidate, Set, out _)));
    }

    [Fact]
    public async Task A_token_of_another_deployment_is_refused()
    {
        await using var other = await KeyFixture.Create();
        var text = RefreshToken.Write(RefreshTokenKind.Direct, (await other.Open()).Current.Refresh, Session, 7, Secret);

        Assert.False(RefreshToken.TryRead(text, Set, out _));
    }

    [Fact]
    public async Task A_token_outlives_the_rotation_of_its_key()
    {
        var text = RefreshToken.Write(RefreshTokenKind.Direct, Set.Refresh, Session, 7, Secret);
        await ring.Rotate(KeyUse.Refresh, now: true, TestContext.Current.CancellationToken);

        Assert.True(RefreshToken.TryRead(text, Set, out var token));
        Assert.NotEqual(Set.Refresh.Number, token.KeyNumber);
        Assert.True(Set.TryGetRefresh(token.KeyNumber, out var key));
        Assert.Equal(text, RefreshToken.Write(token.Kind, key, token.SessionId, token.Generation, token.Secret));
    }

    [Fact]
    public async Task A_key_made_elsewhere_is_fetched_once()
    {
        var ct = TestContext.Current.CancellationToken;
        var elsewhere = await fixture.Open();
        await elsewhere.Rotate(KeyUse.Refresh, now: true, ct);
        await elsewhere.Rotate(KeyUse.Refresh, now: true, ct);
        var text = RefreshToken.Write(RefreshTokenKind.Direct, elsewhere.Current.Refresh, Session, 7, Secret);

        Assert.False(RefreshToken.TryRead(text, Set, out _));
        Assert.Equal(Session, (await RefreshToken.Read(text, ring, ct))?.SessionId);
        Assert.Null(await RefreshToken.Read("rt_junk", ring, ct));
    }

    [Fact]
    public void Reading_allocates_the_secret_only()
    {
        var text = RefreshToken.Write(RefreshTokenKind.Direct, Set.Refresh, Session, 7, Secret);
        var set = Set;
        for (var i = 0; i < 1000; i++)
        {
            RefreshToken.TryRead(text, set, out _);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            RefreshToken.TryRead(text, set, out _);
        }

        // An array of 16 bytes takes 40 with its header.
        Assert.Equal(100 * 40, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    [Trait("Requirement", "C12")]
    public void The_HMAC_covers_all_that_is_before_it()
    {
        var text = RefreshToken.Write(RefreshTokenKind.Direct, Set.Refresh, Session, 7, Secret);
        var bytes = Base64Url.DecodeFromChars(text.AsSpan(3));
        var mac = new byte[HMACSHA256.HashSizeInBytes];
        Set.Refresh.Authenticate(bytes.AsSpan(0, 41), mac);

        Assert.Equal(57, bytes.Length);
        Assert.Equal(mac[..16], bytes[41..]);
        Assert.Equal([1, 0, 0, 0, (byte)Set.Refresh.Number], bytes[..5]);
        Assert.Equal(Session.ToByteArray(bigEndian: true), bytes[5..21]);
        Assert.Equal([0, 0, 0, 7], bytes[21..25]);
        Assert.Equal(Secret, bytes[25..41]);
    }
}
