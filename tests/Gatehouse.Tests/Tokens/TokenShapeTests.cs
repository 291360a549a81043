using System.Buffers.Text;
using System.Text;
using Xunit;

namespace Gatehouse.Tests.Tokens;

public sealed class TokenShapeTests : TokenFixture
{
    [Fact]
    public void Rfc7515_7_1_OnlyThreePartsAreRead()
    {
        var token = Forge.Sign(Key, Forge.Header(Key), Forge.Claims);
        var parts = token.Split('.');

        IsTaken(token);
        string[] others =
        [
            "", ".", "..", "...", parts[0], $"{parts[0]}.{parts[1]}", $"{token}.", $".{token}", $"{token}.{parts[2]}", $"{token}.{parts[1]}.{parts[2]}",
            $".{parts[1]}.{parts[2]}", $"{parts[0]}..{parts[2]}", $"{parts[0]}.{parts[1]}.", $"{token} ", $" {token}", $"{token}\n", $"Bearer {token}",
        ];
        Assert.All(others, IsRefused);
    }

    [Fact]
    public void Rfc7515_2_PaddedOrNonCanonicalBase64IsRefused()
    {
        // 64 bytes end in a group of one byte, whose second letter has four unused bits: fifteen other texts decode alike.
        var token = Forge.Sign(Key, Forge.Header(Key), Forge.Claims);
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        var last = alphabet.IndexOf(token[^1], StringComparison.Ordinal);
        Assert.Equal(0, last % 16);
        for (var unused = 1; unused < 16; unused++)
        {
            IsRefused(token[..^1] + alphabet[last + unused]);
        }

        IsRefused(token + "==");
        IsRefused(token + "=");
        IsRefused(token.Insert(token.Length - 10, "\n"));
    }

    [Fact]
    public void Rfc7515_2_PaddedOrNonCanonicalPartsUnderTheSignatureAreRefused()
    {
        var header = Forge.Encode(Forge.Header(Key));
        foreach (var claims in (string[])[Forge.Claims, Forge.Claims + " ", Forge.Claims + "  "])
        {
            var payload = Forge.Encode(claims);
            IsTaken(Forge.SignEncoded(Key, header, payload));
            IsRefused(Forge.SignEncoded(Key, header, payload + "="));
            IsRefused(Forge.SignEncoded(Key, header, payload + "=="));
            IsRefused(Forge.SignEncoded(Key, header + "=", payload));
            if (payload.Length % 4 != 0)
            {
                IsRefused(Forge.SignEncoded(Key, header, payload[..^1] + (char)(payload[^1] + 1)));
            }
        }
    }

    [Fact]
    public void Huge_tokens_are_refused_unread()
    {
        IsRefused(new string('A', 100_000));
        IsRefused(new string('.', 100_000));
        IsRefused(new string('A', 4096));
        var large = Forge.Sign(Key, Forge.Header(Key), Forge.Claims.Replace("jti-1", new string('j', 2000), StringComparison.Ordinal));
        Assert.InRange(large.Length, 1025, 4096);
        IsTaken(large);
        IsRefused(Forge.Sign(Key, Forge.Header(Key), Forge.Claims.Replace("jti-1", new string('j', 3000), StringComparison.Ordinal)));
    }

    [Fact]
    public void The_signer_refuses_a_token_nobody_would_read() =>
        Assert.Throws<ArgumentException>(() => Signer.Sign(Forge.Token with { Scope = new string('s', 4000) }));

    [Theory]
    [InlineData("iss", "\"https://evil.example\"")]
    [InlineData("iss", "\"https://id.example.com/\"")]
    [InlineData("iss", "\"HTTPS://id.example.com\"")]
    [InlineData("iss", "[\"https://id.example.com\"]")]
    [InlineData("sub", "\"user\"")]
    [InlineData("sub", "\"\"")]
    [InlineData("sub", "1")]
    [InlineData("sub", "null")]
    [InlineData("aud", "[\"https://id.example.com\"]")]
    [InlineData("aud", "\"\"")]
    [InlineData("aud", "null")]
    [InlineData("exp", "\"1768731300\"")]
    [InlineData("exp", "1768731300.5")]
    [InlineData("exp", "1.7e9")]
    [InlineData("exp", "-1")]
    [InlineData("exp", "99999999999999999999")]
    [InlineData("exp", "253402300800")]
    [InlineData("exp", "1768730400")]
    [InlineData("exp", "null")]
    [InlineData("iat", "\"1768730400\"")]
    [InlineData("iat", "true")]
    [InlineData("jti", "5")]
    [InlineData("jti", "\"\"")]
    [InlineData("sid", "\"x\"")]
    [InlineData("sid", "{}")]
    [InlineData("tid", "\"\"")]
    [InlineData("tid", "5")]
    [InlineData("tid", "false")]
    [InlineData("scope", "[\"openid\"]")]
    [InlineData("scope", "null")]
    [InlineData("scope", "\"\\ud800\"")]
    [InlineData("amr", "\"pwd\"")]
    [InlineData("amr", "[1]")]
    [InlineData("amr", "[\"\"]")]
    [InlineData("amr", "[\"pwd otp\"]")]
    [InlineData("amr", "[[\"pwd\"]]")]
    [InlineData("amr", "null")]
    [InlineData("auth_time", "null")]
    [InlineData("client_id", "\"\"")]
    [InlineData("client_id", "null")]
    [InlineData("cnf", "null")]
    [InlineData("cnf", "{}")]
    [InlineData("cnf", "\"x\"")]
    [InlineData("cnf", "{\"jkt\":\"\"}")]
    [InlineData("cnf", "{\"jkt\":\"a\",\"jkt\":\"b\"}")]
    [InlineData("cnf", "{\"x5t#S256\":\"a\"}")]
    [InlineData("cnf", "{\"jkt\":\"a\",\"x5t#S256\":\"a\"}")]
    [InlineData("nbf", "1")]
    public void Rfc9068_4_AClaimThatIsNotWhatItMustBeIsRefused(string claim, string value) =>
        IsRefused(Forge.Sign(Key, Forge.Header(Key), With(claim, value)));

    [Theory]
    [InlineData("iss")]
    [InlineData("sub")]
    [InlineData("aud")]
    [InlineData("exp")]
    [InlineData("iat")]
    [InlineData("jti")]
    [InlineData("sid")]
    [InlineData("tid")]
    [InlineData("scope")]
    [InlineData("amr")]
    [InlineData("auth_time")]
    public void Rfc9068_2_2_EveryClaimMustBeThere(string claim)
    {
        var renamed = Forge.Claims.Replace($"\"{claim}\":", $"\"_{claim}\":", StringComparison.Ordinal);

        Assert.NotEqual(Forge.Claims, renamed);
        IsRefused(Forge.Sign(Key, Forge.Header(Key), renamed));
    }

    [Theory]
    [InlineData("\"sub\":\"019bc0de-0000-7000-8000-0123456789ab\"")]
    [InlineData("\"exp\":1768731300")]
    [InlineData("\"tid\":null")]
    [InlineData("\"\\u0065xp\":1768731300")]
    [InlineData("\"later\":1,\"later\":2")]
    [InlineData("\"later\":1,\"l\\u0061ter\":2")]
    public void Rfc7519_4_ADoubledClaimIsRefused(string member) =>
        IsRefused(Forge.Sign(Key, Forge.Header(Key), $"{Forge.Claims.Trim()[..^1]},{member}}}"));

    [Theory]
    [InlineData("{}{}")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("")]
    [InlineData("{\"iss\":")]
    [InlineData("\uFEFF{}")]
    public void A_payload_that_is_not_one_object_is_refused(string claims) => IsRefused(Forge.Sign(Key, Forge.Header(Key), claims));

    [Fact]
    public void Trailing_bytes_and_invalid_UTF8_are_refused()
    {
        IsRefused(Forge.Sign(Key, Forge.Header(Key), Forge.Claims.Trim() + "x"));
        IsRefused(Forge.Sign(Key, Forge.Header(Key), Forge.Claims.Trim() + "{}"));
        byte[] broken = [.. Encoding.UTF8.GetBytes(Forge.Claims.Trim()[..^1] + ",\"n\":\""), 0xC3, 0x28, .. "\"}"u8];
        IsRefused(Forge.SignEncoded(Key, Forge.Encode(Forge.Header(Key)), Base64Url.EncodeToString(broken)));
    }

    [Fact]
    public void A_claim_of_a_newer_release_is_passed_over() =>
        IsTaken(Forge.Sign(Key, Forge.Header(Key), With("later", "{\"a\":[1,{\"b\":null}]}")));

    private static string With(string claim, string value)
    {
        var claims = Forge.Claims.Trim();
        var name = $"\"{claim}\":";
        var start = claims.IndexOf(name, StringComparison.Ordinal);
        if (start < 0)
        {
            return $"{claims[..^1]},{name}{value}}}";
        }

        var end = claims[start + name.Length] == '[' ? claims.IndexOf(']', start) + 1 : claims.IndexOfAny([',', '}'], start);
        return $"{claims[..(start + name.Length)]}{value}{claims[end..]}";
    }
}
