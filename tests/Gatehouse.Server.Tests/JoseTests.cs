using System.Text.Json;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Server.Tests;

/// <summary>A library that is not ours checks the tokens of a running server, knowing nothing but the addresses it publishes.</summary>
public sealed class JoseTests
{
    [Fact]
    [Requirement("S0-40", "S1-98")]
    public async Task Jose_accepts_a_token_by_the_published_keys_and_refuses_a_forged_one()
    {
        await using var database = await TestDatabase.Empty(Engine.Sqlite);
        await using var server = await ServerProcess.Start(database);
        using var client = server.Client();
        var john = await client.Login();
        var token = john["accessToken"];

        var accepted = await Verify(server, token, server.Issuer);
        Assert.Equal(0, accepted.ExitCode);
        var claims = JsonDocument.Parse(accepted.Output).RootElement;
        Assert.Equal(john["sessionId"], claims.GetProperty("sid").GetString());
        Assert.Equal(john.Json.GetProperty("user").GetProperty("id").GetString(), claims.GetProperty("sub").GetString());
        Assert.Equal(3600, claims.GetProperty("exp").GetInt64() - claims.GetProperty("iat").GetInt64());

        var jane = (await client.Login(ApiClient.Jane))["accessToken"];
        var parts = token.Split('.');
        var otherClaims = $"{parts[0]}.{jane.Split('.')[1]}.{parts[2]}";
        var otherSignature = $"{parts[0]}.{parts[1]}.{jane.Split('.')[2]}";
        Assert.Equal("ERR_JWS_SIGNATURE_VERIFICATION_FAILED", await Refusal(server, otherClaims, server.Issuer));
        Assert.Equal("ERR_JWS_SIGNATURE_VERIFICATION_FAILED", await Refusal(server, otherSignature, server.Issuer));
        Assert.Equal("ERR_JWT_CLAIM_VALIDATION_FAILED", await Refusal(server, token, "https://somebody-else.example"));
    }

    private static async Task<string> Refusal(ServerProcess server, string token, string audience)
    {
        var refused = await Verify(server, token, audience);
        Assert.Equal(1, refused.ExitCode);
        return refused.Output;
    }

    private static Task<Finished> Verify(ServerProcess server, string token, string audience) => RunningProgram.Run(
        "node",
        ["verify-jwt.mjs", token, $"{server.Issuer}/oauth/jwks", server.Issuer, audience],
        [],
        folder: Path.Combine(Repository.Root, "tests", "node"));
}
