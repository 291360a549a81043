using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Gatehouse.Tokens;
using Xunit;

namespace Gatehouse.Tests.Tokens;

/// <summary>Our tokens as a library sees them that is not ours (tests/node/verify-jwt.mjs).</summary>
public sealed class SecondOpinionTests : TokenFixture
{
    [Fact]
    [Trait("Requirement", "S1-98")]
    public async Task Jose_accepts_what_we_sign()
    {
        var (exitCode, answer) = await Verify(Signer.Sign(Fresh()), Forge.Issuer);

        Assert.Equal(0, exitCode);
        using var claims = JsonDocument.Parse(answer);
        Assert.Equal(Forge.Token.SessionId, claims.RootElement.GetProperty("sid").GetGuid());
        Assert.Equal(["pwd", "otp"], claims.RootElement.GetProperty("amr").EnumerateArray().Select(method => method.GetString()));
    }

    [Fact]
    public async Task Jose_refuses_it_for_another_audience_or_with_another_signature()
    {
        var token = Signer.Sign(Fresh());
        var other = Signer.Sign(Fresh() with { TokenId = "jti-2" });

        Assert.Equal(1, (await Verify(token, "https://api.example.com")).ExitCode);
        Assert.Equal((1, "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"), await Verify(token[..^86] + other[^86..], Forge.Issuer));
    }

    private static AccessToken Fresh()
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        return Forge.Token with { IssuedAt = now, ExpiresAt = now + 900 };
    }

    private async Task<(int ExitCode, string Answer)> Verify(string token, string audience)
    {
        var folder = NodeFolder();
        Assert.SkipUnless(Directory.Exists(Path.Combine(folder, "node_modules", "jose")), "Run npm ci in tests/node.");
        using var node = Process.Start(new ProcessStartInfo(
            "node", ["verify-jwt.mjs", token, Encoding.UTF8.GetString(Ring.Current.Jwks.Span), Forge.Issuer, audience])
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardOutput = true,
        })!;
        var answer = await node.StandardOutput.ReadToEndAsync(Ct);
        await node.WaitForExitAsync(Ct);
        return (node.ExitCode, answer.Trim());
    }

    private static string NodeFolder()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Gatehouse.slnx")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("Gatehouse.slnx is in no parent folder.");
        }

        return Path.Combine(folder.FullName, "tests", "node");
    }
}
