using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gatehouse.Keys;
using Gatehouse.Testing;
using Gatehouse.Tests.Tokens;
using Xunit;

namespace Gatehouse.Http.Tests;

/// <summary>Forged access tokens open no route; each forgery starts from a genuine token that does.</summary>
public sealed class TokenForgeryTests(UnthrottledServers servers)
{
    private static readonly string[] Paths = ["/api/v1/auth/me", "/v2/auth/me", "/api/v1/auth/sessions", "/api/v1/ui/bootstrap"];

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Theory]
    [BothEngines]
    [Requirement("S1-21")]
    public async Task The_same_helpers_can_make_a_genuine_token(Engine engine)
    {
        var (server, key, header, claims) = await Genuine(engine);
        using var client = server.Client();

        Assert.Equal(200, (await client.Get(Paths[0], Forge.Sign(key, header, claims))).Code);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-21")]
    public async Task Other_algorithms_and_the_public_key_as_a_secret_are_refused(Engine engine)
    {
        var (server, key, header, claims) = await Genuine(engine);
        var unsigned = $"{Forge.Encode(header.Replace("ES256", "none", StringComparison.Ordinal))}.{Forge.Encode(claims)}";
        var pem = Encoding.ASCII.GetBytes(PemEncoding.WriteString("PUBLIC KEY", key.PublicKey));
        var hs256 = header.Replace("ES256", "HS256", StringComparison.Ordinal);

        await AreInvalid(
            server,
            $"{unsigned}.",
            unsigned,
            $"{unsigned}.AA",
            Forge.Hs256(key.PublicKey, hs256, claims),
            Forge.Hs256(pem, hs256, claims),
            Forge.Hs256(Encoding.ASCII.GetBytes((await server.Client().Get("/oauth/jwks")).Text), hs256, claims),
            Forge.Hs256(pem, header, claims));
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-21")]
    public async Task Foreign_keys_are_refused_under_any_name_and_from_any_place(Engine engine)
    {
        var (server, key, header, claims) = await Genuine(engine);
        await using var elsewhere = await GatehouseServer.Start(Engine.Sqlite);
        var foreign = elsewhere.Get<KeyRing>().Current.Signing;
        var keySet = (await elsewhere.Client().Get("/oauth/jwks")).Json.GetProperty("keys")[0].GetRawText();

        await AreInvalid(
            server,
            Forge.Sign(foreign, Forge.Header(foreign), claims),
            Forge.Sign(foreign, header, claims),
            Forge.Sign(key, header.Replace(key.Kid, "unknown", StringComparison.Ordinal), claims),
            Forge.Sign(key, """{"alg":"ES256","typ":"at+jwt"}""", claims),
            Forge.Sign(foreign, With(Forge.Header(foreign), "jwk", keySet), claims),
            Forge.Sign(foreign, With(header, "jwk", keySet), claims),
            Forge.Sign(foreign, With(Forge.Header(foreign), "jku", $"\"{elsewhere.Url}oauth/jwks\""), claims),
            Forge.Sign(foreign, With(Forge.Header(foreign), "x5u", $"\"{elsewhere.Url}cert\""), claims),
            Forge.Sign(key, With(header, "jku", $"\"{server.Url}oauth/jwks\""), claims),
            Forge.Sign(key, With(header, "crit", "[\"exp\"]"), claims));
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-21")]
    public async Task Another_issuer_audience_type_or_time_is_refused(Engine engine)
    {
        var (server, key, header, claims) = await Genuine(engine);
        var future = server.Time.GetUtcNow().ToUnixTimeSeconds() + 600;

        await AreInvalid(
            server,
            Forge.Sign(key, header, With(claims, "iss", "\"https://evil.example\"")),
            Forge.Sign(key, header, With(claims, "iss", $"\"{server.Issuer}/\"")),
            Forge.Sign(key, header, With(claims, "aud", "\"https://api.example\"")),
            Forge.Sign(key, header, With(claims, "aud", $"\"{server.Issuer}/oauth/userinfo\"")),
            Forge.Sign(key, header, With(claims, "iat", $"{future}")),
            Forge.Sign(key, header.Replace("at+jwt", "JWT", StringComparison.Ordinal), claims),
            Forge.Sign(key, header.Replace("at+jwt", "id_token", StringComparison.Ordinal), claims),
            Forge.Sign(key, $$"""{"alg":"ES256","kid":"{{key.Kid}}"}""", claims));
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-21")]
    public async Task Another_user_and_an_unknown_session_are_refused(Engine engine)
    {
        var (server, key, header, claims) = await Genuine(engine);
        var other = (await server.SignInSomebody()).Json.GetProperty("user").GetProperty("id").GetRawText();

        await AreInvalid(
            server,
            Forge.Sign(key, header, With(claims, "sub", other)),
            Forge.Sign(key, header, With(claims, "sid", $"\"{Guid.NewGuid()}\"")),
            Forge.Sign(key, header, With(claims, "sid", "\"x\"")),
            Forge.Sign(key, header, "{}"));
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-21")]
    public async Task Cut_changed_and_oversized_tokens_are_refused(Engine engine)
    {
        var (server, key, header, claims) = await Genuine(engine);
        var token = Forge.Sign(key, header, claims);
        var parts = token.Split('.');
        var admin = With(claims, "scope", "\"openid profile email admin\"");

        await AreInvalid(
            server,
            token[..^1],
            token[..^43],
            $"{parts[0]}.{parts[1]}.",
            $"{parts[0]}.{parts[1]}",
            $"{token}A",
            $"{token}=",
            $"{parts[0]}.{Forge.Encode(admin)}.{parts[2]}",
            $"{parts[0]}.{parts[1]}.{Forge.Sign(key, header, admin).Split('.')[2]}",
            Forge.Sign(key, header, With(claims, "x", $"\"{new string('x', 4000)}\"")),
            new string('.', 2),
            new string('a', 8000),
            "é");
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-21", "S1-98")]
    public async Task An_expired_token_says_so_to_the_second(Engine engine)
    {
        var (server, key, header, claims) = await Genuine(engine);
        using var client = server.Client();
        var now = server.Time.GetUtcNow().ToUnixTimeSeconds();
        var expired = Forge.Sign(key, header, With(With(claims, "iat", $"{now - 3600}"), "exp", $"{now}"));
        var last = Forge.Sign(key, header, With(claims, "exp", $"{now + 1}"));

        foreach (var path in Paths)
        {
            Wants.Challenge(await client.Get(path, expired), "TOKEN_EXPIRED", server.Issuer);
            Assert.Equal(200, (await client.Get(path, last)).Code);
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-21")]
    public async Task A_token_for_another_tenant_than_the_sessions_asks_for_a_refresh(Engine engine)
    {
        var (server, key, header, claims) = await Genuine(engine);
        using var client = server.Client();

        foreach (var tenant in new[] { "null", $"\"{Guid.NewGuid()}\"" })
        {
            Wants.Challenge(await client.Get(Paths[0], Forge.Sign(key, header, With(claims, "tid", tenant))), "TOKEN_EXPIRED", server.Issuer);
        }
    }

    private static async Task AreInvalid(GatehouseServer server, params string[] tokens)
    {
        using var client = server.Client();
        foreach (var token in tokens)
        {
            foreach (var path in Paths)
            {
                Wants.Challenge(await client.Get(path, headers: ("Authorization", $"Bearer {token}")), "TOKEN_INVALID", server.Issuer);
            }
        }
    }

    private async Task<(GatehouseServer Server, SigningKey Key, string Header, string Claims)> Genuine(Engine engine)
    {
        var server = await servers[engine];
        var login = await server.SignInSomebody();
        var key = server.Get<KeyRing>().Current.Signing;
        return (server, key, Forge.Header(key), Jwt.Claims(login["accessToken"]).GetRawText());
    }

    /// <summary>The JSON object with one member set.</summary>
    private static string With(string json, string member, string value)
    {
        var node = JsonNode.Parse(json)!.AsObject();
        node[member] = JsonNode.Parse(value);
        return node.ToJsonString(Relaxed);
    }
}
