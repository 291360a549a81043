using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Gatehouse.Keys;
using Gatehouse.Tokens;
using Xunit;

namespace Gatehouse.Tests.Tokens;

public sealed class AccessTokenTests : TokenFixture
{
    [Fact]
    [Trait("Requirement", "S1-98")]
    public void What_is_signed_verifies_the_same()
    {
        AccessToken[] tokens =
        [
            Forge.Token,
            Forge.Token with { TenantId = null, Scope = "", Amr = "" },
            Forge.Token with { ClientId = "client-1", DpopThumbprint = "thumb", Amr = "hwk" },
            Forge.Token with { Scope = "a \"quoted\" \\ <scope> é 𝄞", TokenId = "\u0001" },
        ];

        foreach (var token in tokens)
        {
            Assert.Equal(token, Assert.IsType<TokenCheck.Verified>(Verifier.Verify(Signer.Sign(token))).Token);
        }
    }

    [Fact]
    public void Rfc9068_2_TheWireFormIsExactlyThis()
    {
        var parts = Signer.Sign(Forge.Token).Split('.');

        Assert.Equal(Forge.Header(Key), Decode(parts[0]));
        Assert.Equal(Forge.Claims.Trim(), Decode(parts[1]));
        Assert.Equal(86, parts[2].Length);
    }

    [Fact]
    public void Optional_claims_are_absent_and_the_tenant_is_null()
    {
        var bearer = Decode(Signer.Sign(Forge.Token with { TenantId = null, Amr = "" }).Split('.')[1]);
        var bound = Decode(Signer.Sign(Forge.Token with { ClientId = "c", DpopThumbprint = "t" }).Split('.')[1]);

        Assert.Contains("\"tid\":null", bearer, StringComparison.Ordinal);
        Assert.Contains("\"amr\":[]", bearer, StringComparison.Ordinal);
        Assert.DoesNotContain("client_id", bearer, StringComparison.Ordinal);
        Assert.DoesNotContain("cnf", bearer, StringComparison.Ordinal);
        Assert.EndsWith(",\"client_id\":\"c\",\"cnf\":{\"jkt\":\"t\"}}", bound, StringComparison.Ordinal);
    }

    [Fact]
    public void Rfc7518_3_4_AnyoneCanVerifyWithThePublicKey()
    {
        var token = Signer.Sign(Forge.Token);
        using var ecdsa = ECDsa.Create();
        ecdsa.ImportSubjectPublicKeyInfo(Key.PublicKey, out _);

        Assert.True(ecdsa.VerifyData(
            Encoding.ASCII.GetBytes(token[..^87]), Base64Url.DecodeFromChars(token.AsSpan(token.Length - 86)), HashAlgorithmName.SHA256));
    }

    [Fact]
    [Trait("Requirement", "G3")]
    public void Rfc7519_4_1_4_ATokenIsGoodUpToTheSecondOfItsExp()
    {
        var token = Signer.Sign(Forge.Token);

        Time.Advance(TimeSpan.FromSeconds(900) - TimeSpan.FromMilliseconds(1));
        IsTaken(token);

        Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(Forge.Token, Assert.IsType<TokenCheck.Expired>(Verifier.Verify(token)).Token);
        Assert.IsType<TokenCheck.Expired>(NewVerifier(new TokenOptions { Issuer = Forge.Issuer }).Verify(token));
    }

    [Fact]
    [Trait("Requirement", "G3")]
    public void Rfc7519_4_1_6_ATokenFromBeyondTheClockSkewIsRefused()
    {
        var token = Signer.Sign(Forge.Token with { IssuedAt = Forge.Now + 61 });

        IsTaken(Signer.Sign(Forge.Token with { IssuedAt = Forge.Now + 60 }));
        IsRefused(token);
        Time.Advance(TimeSpan.FromSeconds(1));
        IsTaken(token);
    }

    [Fact]
    [Trait("Requirement", "G3")]
    public async Task Rfc9068_4_TheAudienceIsCheckedEachTime()
    {
        const string resource = "https://api.example.com";
        var firstParty = Signer.Sign(Forge.Token);
        var foreign = Signer.Sign(Forge.Token with { Audience = resource });

        for (var i = 0; i < 2; i++)
        {
            IsTaken(firstParty);
            IsRefused(foreign);
            Assert.IsType<TokenCheck.Verified>(Verifier.Verify(foreign, resource));
            Assert.IsType<TokenCheck.Invalid>(Verifier.Verify(firstParty, resource));
            Assert.IsType<TokenCheck.Verified>(Verifier.VerifyForAnyAudience(foreign));
            Assert.IsType<TokenCheck.Verified>(await Verifier.VerifyAsync(foreign.AsMemory(), resource, Ct));
            Assert.IsType<TokenCheck.Verified>(await Verifier.VerifyForAnyAudienceAsync(foreign.AsMemory(), Ct));
            Assert.IsType<TokenCheck.Invalid>(await Verifier.VerifyAsync(foreign.AsMemory(), Ct));
        }

        Time.Advance(TimeSpan.FromHours(1));
        Assert.IsType<TokenCheck.Invalid>(Verifier.Verify(foreign));
    }

    [Fact]
    public void A_configured_audience_replaces_the_issuer()
    {
        var verifier = NewVerifier(new TokenOptions { Issuer = Forge.Issuer, Audience = "app" });

        Assert.IsType<TokenCheck.Verified>(verifier.Verify(Signer.Sign(Forge.Token with { Audience = "app" })));
        Assert.IsType<TokenCheck.Invalid>(verifier.Verify(Signer.Sign(Forge.Token)));
    }

    [Fact]
    [Trait("Requirement", "G4")]
    public async Task A_token_dies_with_its_key_even_when_it_is_remembered()
    {
        var token = Signer.Sign(Forge.Token);
        IsTaken(token);
        var old = Key.Number;
        await Ring.Rotate(KeyUse.Signing, now: true, Ct);
        IsTaken(token);

        await Ring.Discard(old, Ct);
        Assert.IsType<TokenCheck.UnknownKey>(Verifier.Verify(token));
        Assert.IsType<TokenCheck.Invalid>(await Verifier.VerifyAsync(token.AsMemory(), Ct));
    }

    [Fact]
    [Trait("Requirement", "G4")]
    public async Task A_key_made_elsewhere_is_fetched_on_first_sight()
    {
        var elsewhere = await OpenElsewhere();
        await elsewhere.Rotate(KeyUse.Signing, now: true, Ct);
        await elsewhere.Rotate(KeyUse.Signing, now: true, Ct);
        var token = new AccessTokenSigner(elsewhere).Sign(Forge.Token);

        Assert.IsType<TokenCheck.UnknownKey>(Verifier.Verify(token));
        Assert.IsType<TokenCheck.Verified>(await Verifier.VerifyAsync(token.AsMemory(), Ct));
    }

    [Fact]
    public void Signing_and_verifying_from_many_threads_never_errs() => Parallel.For(0, 2000, i =>
    {
        var token = Forge.Token with { TokenId = $"jti-{i}" };
        Assert.Equal(token, Assert.IsType<TokenCheck.Verified>(Verifier.Verify(Signer.Sign(token))).Token);
    });

    private static string Decode(string part) => Encoding.UTF8.GetString(Base64Url.DecodeFromChars(part));
}
