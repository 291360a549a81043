using Gatehouse.Keys;
using Gatehouse.Testing;
using Gatehouse.Tests.Keys;
using Gatehouse.Tokens;
using Xunit;

namespace Gatehouse.Tests.Tokens;

/// <summary>A key ring with a signer and a verifier on it.</summary>
public abstract class TokenFixture : IAsyncLifetime
{
    private KeyFixture fixture = null!;

    internal KeyRing Ring { get; private set; } = null!;

    internal AccessTokenSigner Signer { get; private set; } = null!;

    internal AccessTokenVerifier Verifier { get; private set; } = null!;

    internal SigningKey Key => Ring.Current.Signing;

    internal ManualTime Time => fixture.Time;

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        fixture = await KeyFixture.Create();
        Ring = await fixture.Open();
        Signer = new AccessTokenSigner(Ring);
        Verifier = NewVerifier(new TokenOptions { Issuer = Forge.Issuer });
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await fixture.DisposeAsync();
    }

    internal AccessTokenVerifier NewVerifier(TokenOptions options) => new(Ring, Time, options);

    /// <summary>The ring of another process on the same database.</summary>
    internal Task<KeyRing> OpenElsewhere() => fixture.Open();

    internal void IsRefused(string token)
    {
        Assert.IsType<TokenCheck.Invalid>(Verifier.Verify(token));
        Assert.IsType<TokenCheck.Invalid>(Verifier.Verify(token));
    }

    internal void IsTaken(string token) => Assert.IsType<TokenCheck.Verified>(Verifier.Verify(token));
}
