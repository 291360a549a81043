using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests;

public sealed class JwksTests(UnthrottledServers servers)
{
    [Theory]
    [BothEngines]
    [Requirement("S1-21")]
    public async Task The_published_keys_are_public_complete_and_verify_our_tokens(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var token = (await server.SignInSomebody())["accessToken"];

        var answer = await client.Get("/oauth/jwks");

        Assert.Equal((200, "application/json"), (answer.Code, answer.Header("Content-Type")));
        Assert.Equal(["max-age=300", "public"], answer.Header("Cache-Control")!.Split(", ").Order());
        Wants.Members(answer.Json, "keys: list");
        var keys = answer.Json.GetProperty("keys").EnumerateArray().ToList();
        Assert.All(keys, key =>
        {
            Wants.Members(key, "kty: text", "crv: text", "x: text", "y: text", "use: text", "alg: text", "kid: text");
            Assert.Equal(("EC", "P-256", "sig", "ES256"), (Of(key, "kty"), Of(key, "crv"), Of(key, "use"), Of(key, "alg")));
        });
        Assert.Equal(keys.Count, keys.Select(key => Of(key, "kid")).Distinct().Count());
        var mine = Assert.Single(keys, key => Of(key, "kid") == Of(Jwt.Header(token), "kid"));
        using var ecdsa = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint { X = Base64Url.DecodeFromChars(Of(mine, "x")), Y = Base64Url.DecodeFromChars(Of(mine, "y")) },
        });
        var parts = token.Split('.');
        Assert.True(ecdsa.VerifyData(
            Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256));
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-21")]
    public async Task The_key_that_signs_next_is_published_before_it_signs(Engine engine)
    {
        await using var server = await GatehouseServer.Start(engine);
        using var client = server.Client();
        var before = await client.Login();
        var published = (await client.Get("/oauth/jwks")).Text;

        await server.Get<Gatehouse.Keys.KeyRing>().Rotate(Gatehouse.Keys.KeyUse.Signing, now: true, TestContext.Current.CancellationToken);

        var after = await client.Login();
        Assert.NotEqual(Kid(before), Kid(after));
        Assert.Contains(Kid(after), published, StringComparison.Ordinal);
        Assert.Contains(Kid(before), (await client.Get("/oauth/jwks")).Text, StringComparison.Ordinal);
        Assert.Equal(200, (await client.Get("/api/v1/auth/me", before["accessToken"])).Code);
        Assert.Equal(200, (await client.Get("/api/v1/auth/me", after["accessToken"])).Code);
    }

    private static string Kid(Answer login) => Of(Jwt.Header(login["accessToken"]), "kid");

    private static string Of(JsonElement json, string member) => json.GetProperty(member).GetString()!;
}
