using System.Text;
using System.Text.Json;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Server.Tests.Commands;

public sealed class TokenCommandTests
{
    [Theory]
    [BothEngines]
    public async Task An_access_token_is_explained_with_its_session(Engine engine)
    {
        await using var fixture = await OperatorFixture.Start(engine);
        using var client = fixture.Server.Client();
        var login = await client.Login();

        var live = await fixture.Json("token", "inspect", login["accessToken"]);
        await client.Post("/api/v1/auth/logout", bearer: login["accessToken"]);
        var revoked = await fixture.Json("token", "inspect", login["accessToken"]);

        Assert.Equal("access", Text(live, "token"));
        Assert.Equal("valid", Text(live, "signature"));
        Assert.Equal("ES256", Text(live, "alg"));
        Assert.Equal(login["sessionId"], Text(live, "sid"));
        Assert.Equal(fixture.Server.Issuer, Text(live, "iss"));
        Assert.Equal("2026-01-18 10:00:00Z", Text(live, "iat"));
        Assert.Equal("2026-01-18 11:00:00Z", Text(live, "exp"));
        Assert.Equal("revoked", Text(revoked, "session status"));
        Assert.Equal("logout", Text(revoked, "session reason"));
    }

    [Theory]
    [BothEngines]
    public async Task A_refresh_token_is_explained_without_its_secret(Engine engine)
    {
        await using var fixture = await OperatorFixture.Start(engine);
        using var client = fixture.Server.Client();
        var login = await client.Login();
        var old = login["refreshToken"];
        var next = (await client.Refresh(old))["refreshToken"];

        var (code, table) = await fixture.Run("token", "inspect", next);
        var current = await fixture.Json("token", "inspect", next);
        var used = await fixture.Json("token", "inspect", old);

        Assert.Equal("refresh", Text(current, "token"));
        Assert.Equal("3", Text(current, "key number"));
        Assert.Equal(login["sessionId"], Text(current, "session"));
        Assert.Equal("yes", Text(current, "of this session"));
        Assert.Equal("the current token", Text(current, "standing"));
        Assert.StartsWith("used before", Text(used, "standing"), StringComparison.Ordinal);
        var raw = Convert.FromBase64String(next["rt_".Length..].Replace('-', '+').Replace('_', '/'));
        var secret = Convert.ToHexString(raw.AsSpan(25, 16));
        Assert.Equal(0, code);
        Assert.DoesNotContain(next[20..], table + current, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, table + current, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_forged_token_cannot_speak_for_us()
    {
        await using var fixture = await OperatorFixture.Start(Engine.Sqlite);
        using var client = fixture.Server.Client();
        var parts = (await client.Login())["accessToken"].Split('.');
        var claims = Encode("""{"signature":"valid","session status":"active","expired":"no","sub":"\u001b[2J","exp":1e99}""");

        var forged = await fixture.Json("token", "inspect", $"{parts[0]}.{claims}.{parts[2]}");
        var foreign = await fixture.Json("token", "inspect", $"{Encode("""{"alg":"none","kid":"k"}""")}.{claims}.{parts[2]}");

        Assert.StartsWith("not valid", Text(forged, "signature"), StringComparison.Ordinal);
        Assert.StartsWith("by an unknown key", Text(foreign, "signature"), StringComparison.Ordinal);
        Assert.Equal("unknown", Text(forged, "session status"));
        Assert.Equal("yes", Text(forged, "expired"));
        Assert.Equal("\uFFFD[2J", Text(forged, "sub"));
    }

    [Theory]
    [InlineData("junk")]
    [InlineData("rt_junk")]
    [InlineData("a.b.c")]
    [InlineData("")]
    public async Task Anything_else_is_no_token_of_ours(string text)
    {
        await using var fixture = await OperatorFixture.Start(Engine.Sqlite);

        Assert.Equal((1, ""), await fixture.Run("token", "inspect", text));
    }

    [Fact]
    public async Task A_token_may_come_on_standard_input()
    {
        await using var fixture = await OperatorFixture.Start(Engine.Sqlite);
        using var client = fixture.Server.Client();
        var login = await client.Login();

        var (code, output, errors) = await fixture.Process(login["accessToken"] + "\n", "token", "inspect", "-", "--json");

        Assert.Equal((0, ""), (code, errors));
        Assert.Equal(login["sessionId"], Text(JsonDocument.Parse(output).RootElement, "sid"));
    }

    private static string? Text(JsonElement fields, string name) => fields.GetProperty(name).GetString();

    private static string Encode(string json) => System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
}
