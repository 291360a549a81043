using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Gatehouse.Tests.Keys;
using Gatehouse.Tokens;
using Xunit;

namespace Gatehouse.Tests.Tokens;

[Trait("Requirement", "G1")]
public sealed class ForgedTokenTests : TokenFixture
{
    [Fact]
    public void A_genuine_token_with_the_same_helpers_is_taken() => IsTaken(Forge.Sign(Key, Forge.Header(Key), Forge.Claims));

    [Theory]
    [InlineData("none")]
    [InlineData("None")]
    [InlineData("nOnE")]
    [InlineData("")]
    [InlineData("es256")]
    [InlineData("ES384")]
    [InlineData("RS256")]
    [InlineData("HS256")]
    public void Rfc8725_3_1_AnyAlgorithmButTheKeysOwnIsRefused(string alg)
    {
        var header = $$"""{"alg":"{{alg}}","typ":"at+jwt","kid":"{{Key.Kid}}"}""";

        IsRefused(Forge.Sign(Key, header, Forge.Claims));
        IsRefused($"{Forge.Encode(header)}.{Forge.Encode(Forge.Claims)}.");
        IsRefused($"{Forge.Encode(header)}.{Forge.Encode(Forge.Claims)}");
    }

    [Fact]
    public void Rfc8725_3_1_AlgNoneIsRefused()
    {
        IsRefused($"{Forge.Encode("""{"alg":"none"}""")}.{Forge.Encode(Forge.Claims)}.");
        IsRefused($"{Forge.Encode("""{"alg":"none","typ":"at+jwt"}""")}.{Forge.Encode(Forge.Claims)}.AA");
    }

    [Fact]
    public void Rfc8725_2_1_Hs256SignedWithThePublicKeyIsRefused()
    {
        var pem = Encoding.ASCII.GetBytes(PemEncoding.WriteString("PUBLIC KEY", Key.PublicKey));
        foreach (var secret in (byte[][])[Key.PublicKey, pem, Ring.Current.Jwks.ToArray()])
        {
            IsRefused(Forge.Hs256(secret, $$"""{"alg":"HS256","typ":"at+jwt","kid":"{{Key.Kid}}"}""", Forge.Claims));
            IsRefused(Forge.Hs256(secret, Forge.Header(Key), Forge.Claims));
        }
    }

    [Theory]
    [InlineData("\"jku\":\"https://evil.example/jwks\"")]
    [InlineData("\"x5u\":\"https://evil.example/cert\"")]
    [InlineData("\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}")]
    [InlineData("\"x5c\":[\"AA\"]")]
    [InlineData("\"x5t\":\"AA\"")]
    [InlineData("\"crit\":[\"exp\"]")]
    [InlineData("\"b64\":false")]
    [InlineData("\"zip\":\"DEF\"")]
    [InlineData("\"cty\":\"JWT\"")]
    [InlineData("\"anything\":1")]
    [InlineData("\"alg\":\"ES256\"")]
    [InlineData("\"typ\":\"at+jwt\"")]
    [InlineData("\"kid\":\"other\"")]
    [InlineData("\"\\u0061lg\":\"none\"")]
    public void Rfc8725_3_10_AnyOtherOrDoubledHeaderMemberIsRefused(string member)
    {
        var header = Forge.Header(Key);

        IsRefused(Forge.Sign(Key, $"{header[..^1]},{member}}}", Forge.Claims));
        IsRefused(Forge.Sign(Key, $"{{{member},{header[1..]}", Forge.Claims));
    }

    [Fact]
    public async Task An_unknown_kid_is_asked_for_once_and_then_refused()
    {
        var token = Forge.Sign(Key, """{"alg":"ES256","typ":"at+jwt","kid":"unknown"}""", Forge.Claims);

        Assert.IsType<TokenCheck.UnknownKey>(Verifier.Verify(token));
        Assert.IsType<TokenCheck.Invalid>(await Verifier.VerifyAsync(token.AsMemory(), Ct));
    }

    [Theory]
    [InlineData("""{"alg":"ES256","typ":"at+jwt"}""")]
    [InlineData("""{"alg":"ES256","kid":"{kid}"}""")]
    [InlineData("""{"typ":"at+jwt","kid":"{kid}"}""")]
    [InlineData("""{"alg":"ES256","typ":"at+jwt","kid":7}""")]
    [InlineData("""{"alg":"ES256","typ":"at+jwt","kid":null}""")]
    [InlineData("""{"alg":["ES256"],"typ":"at+jwt","kid":"{kid}"}""")]
    [InlineData("""{"alg":"ES256","typ":"at+jwt","kid":"{kid}"} {}""")]
    [InlineData("""{"alg":"ES256","typ":"at+jwt","kid":"{kid}",}""")]
    [InlineData("""{"alg":"ES256","typ":"at+jwt","kid":"{kid}"/**/}""")]
    [InlineData("""{"alg":"ES256","typ":"at+jwt","kid":"\ud800"}""")]
    [InlineData("""["ES256","at+jwt","{kid}"]""")]
    [InlineData("\"ES256\"")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{")]
    public void Rfc7515_4_AnyOtherHeaderIsRefused(string header) =>
        IsRefused(Forge.Sign(Key, header.Replace("{kid}", Key.Kid, StringComparison.Ordinal), Forge.Claims));

    [Theory]
    [InlineData("JWT")]
    [InlineData("jwt")]
    [InlineData("logout+jwt")]
    [InlineData("dpop+jwt")]
    [InlineData("application/jwt")]
    [InlineData("at+jwt ")]
    [InlineData("application/application/at+jwt")]
    [Trait("Requirement", "G2")]
    public void Rfc9068_4_AnIdTokenOrAnyOtherTypeIsRefused(string typ) =>
        IsRefused(Forge.Sign(Key, $$"""{"alg":"ES256","typ":"{{typ}}","kid":"{{Key.Kid}}"}""", Forge.Claims));

    [Theory]
    [InlineData("at+jwt")]
    [InlineData("AT+JWT")]
    [InlineData("application/at+jwt")]
    [InlineData("Application/AT+jwt")]
    public void Rfc9068_4_TheTypeIsReadAsAMediaType(string typ) =>
        IsTaken(Forge.Sign(Key, $$"""{"typ":"{{typ}}","kid":"{{Key.Kid}}","alg":"ES256"}""", Forge.Claims));

    [Fact]
    public async Task A_token_of_another_issuers_key_is_refused()
    {
        await using var other = await KeyFixture.Create();
        var theirs = (await other.Open()).Current.Signing;

        Assert.IsType<TokenCheck.Invalid>(await Verifier.VerifyAsync(Forge.Sign(theirs, Forge.Header(theirs), Forge.Claims).AsMemory(), Ct));
        IsRefused(Forge.Sign(theirs, Forge.Header(Key), Forge.Claims));
    }

    [Fact]
    public void A_token_signed_by_the_other_trusted_key_than_it_names_is_refused()
    {
        var next = Ring.Current.Trusted.Values.Single(key => key.Kid != Key.Kid);

        IsTaken(Forge.Sign(next, Forge.Header(next), Forge.Claims));
        IsRefused(Forge.Sign(next, Forge.Header(Key), Forge.Claims));
    }

    [Fact]
    public void A_cut_signature_is_refused_at_every_length()
    {
        var token = Forge.Sign(Key, Forge.Header(Key), Forge.Claims);
        for (var cut = 1; cut <= 86; cut++)
        {
            IsRefused(token[..^cut]);
        }

        IsRefused(token + "A");
        IsRefused(token + "AAAA");
    }

    [Fact]
    public void Any_flipped_bit_of_the_signature_is_refused()
    {
        var token = Forge.Sign(Key, Forge.Header(Key), Forge.Claims);
        var signed = token[..^86];
        var signature = Base64Url.DecodeFromChars(token.AsSpan(signed.Length));
        for (var bit = 0; bit < signature.Length * 8; bit++)
        {
            signature[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.IsType<TokenCheck.Invalid>(Verifier.Verify(signed + Base64Url.EncodeToString(signature)));
            signature[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void Signatures_of_zero_or_of_the_wrong_shape_are_refused()
    {
        var token = Forge.Sign(Key, Forge.Header(Key), Forge.Claims);
        var signed = token[..^87];
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var der = ecdsa.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

        IsRefused($"{signed}.{Base64Url.EncodeToString(new byte[64])}");
        IsRefused($"{signed}.{Base64Url.EncodeToString([.. Enumerable.Repeat((byte)255, 64)])}");
        IsRefused($"{signed}.{Base64Url.EncodeToString(der)}");
    }

    [Fact]
    public void Any_other_character_anywhere_is_refused()
    {
        var token = Forge.Sign(Key, Forge.Header(Key), Forge.Claims);
        for (var i = 0; i < token.Length; i++)
        {
            foreach (var other in "A=+/ .~\n\0é".Where(c => c != token[i]))
            {
                Assert.IsNotType<TokenCheck.Verified>(Verifier.Verify($"{token[..i]}{other}{token[(i + 1)..]}"));
            }
        }
    }
}
