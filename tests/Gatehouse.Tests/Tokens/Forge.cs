using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Gatehouse.Keys;
using Gatehouse.Tokens;

namespace Gatehouse.Tests.Tokens;

/// <summary>Makes tokens that our own signer never would.</summary>
internal static class Forge
{
    public const string Issuer = "https://id.example.com";
    public const long Now = 1_768_730_400; // 2026-01-18T10:00:00Z

    public static AccessToken Token { get; } = new()
    {
        Issuer = Issuer,
        Subject = Guid.Parse("019bc0de-0000-7000-8000-0123456789ab"),
        Audience = Issuer,
        SessionId = Guid.Parse("019bc0de-0000-7000-8000-0123456789ac"),
        TenantId = Guid.Parse("019bc0de-0000-7000-8000-0123456789ad"),
        Scope = "openid profile email",
        Amr = "pwd otp",
        AuthTime = Now - 10,
        IssuedAt = Now,
        ExpiresAt = Now + 900,
        TokenId = "jti-1",
    };

    public const string Claims = $$"""
        {"iss":"{{Issuer}}","sub":"019bc0de-0000-7000-8000-0123456789ab","aud":"{{Issuer}}","exp":1768731300,"iat":1768730400,"jti":"jti-1","sid":"019bc0de-0000-7000-8000-0123456789ac","tid":"019bc0de-0000-7000-8000-0123456789ad","scope":"openid profile email","amr":["pwd","otp"],"auth_time":1768730390}
        """;

    public static string Header(SigningKey key) => $$"""{"alg":"ES256","typ":"at+jwt","kid":"{{key.Kid}}"}""";

    public static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    /// <summary>A token with a genuine signature over any header and payload.</summary>
    public static string Sign(SigningKey key, string header, string claims) => SignEncoded(key, Encode(header), Encode(claims));

    public static string SignEncoded(SigningKey key, string header, string claims)
    {
        var signature = new byte[64];
        key.Sign(Encoding.ASCII.GetBytes($"{header}.{claims}"), signature);
        return $"{header}.{claims}.{Base64Url.EncodeToString(signature)}";
    }

    public static string Hs256(byte[] secret, string header, string claims)
    {
        var signed = $"{Encode(header)}.{Encode(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(signed)))}";
    }
}
