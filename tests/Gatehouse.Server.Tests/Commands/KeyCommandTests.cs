using Gatehouse.Keys;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Server.Tests.Commands;

public sealed class KeyCommandTests
{
    [Theory]
    [BothEngines]
    public async Task List_shows_every_key_and_nothing_sealed(Engine engine)
    {
        await using var fixture = await OperatorFixture.Start(engine);

        var keys = await fixture.Json("key", "list");
        var (code, table) = await fixture.Run("key", "list");

        Assert.Equal(
            ["1 signing current", "2 signing next", "3 refresh current", "4 refresh next", "5 secret current"],
            keys.EnumerateArray().Select(key => $"{key.GetProperty("number")} {key.GetProperty("use")} {key.GetProperty("state")}"));
        Assert.Equal(
            ["activated", "kid", "number", "published", "retired", "state", "use"],
            keys[0].EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal));
        Assert.Equal(43, keys[0].GetProperty("kid").GetString()!.Length);
        Assert.Equal("2026-01-18 10:00:00Z", keys[0].GetProperty("published").GetString());
        Assert.Null(keys[0].GetProperty("retired").GetString());
        Assert.Equal(0, code);
        Assert.Contains(keys[0].GetProperty("kid").GetString()!, table, StringComparison.Ordinal);
    }

    [Theory]
    [BothEngines]
    public async Task Rotate_moves_the_keys_and_a_running_server_follows(Engine engine)
    {
        await using var fixture = await OperatorFixture.Start(engine);
        using var client = fixture.Server.Client();
        var before = (await client.Login())["accessToken"];

        var rotated = await fixture.Json("key", "rotate", "--use", "signing", "--now");
        await fixture.Server.Get<KeyRing>().Maintain(TestContext.Current.CancellationToken);
        var keys = await fixture.Json("key", "list");
        var after = await fixture.Json("token", "inspect", (await client.Login())["accessToken"]);

        Assert.Equal(
            "signing 1 2 6",
            string.Join(' ', rotated.EnumerateObject().Select(member => member.Value.GetString())));
        Assert.Equal(200, (await client.Get("/api/v1/auth/me", before)).Code);
        Assert.Equal("retired", keys[0].GetProperty("state").GetString());
        Assert.Equal(keys[1].GetProperty("kid").GetString(), after.GetProperty("kid").GetString());
    }

    [Fact]
    public async Task Rotate_says_from_when_it_is_possible()
    {
        await using var fixture = await OperatorFixture.Start(Engine.Sqlite);

        // The command's own clock is the real one, and a key made by this rotation is published only now.
        await fixture.Run("key", "rotate", "--use", "refresh", "--now");
        var (code, output, errors) = await fixture.Process(null, "key", "rotate", "--use", "refresh");

        Assert.Equal((1, ""), (code, output));
        Assert.Matches(@"^gatehouse: too early: .* Possible from \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ, or at once with --now\.\s*$", errors);
    }

    [Theory]
    [InlineData("secret")]
    [InlineData("nonsense")]
    public async Task Rotate_refuses_what_does_not_rotate(string use)
    {
        await using var fixture = await OperatorFixture.Start(Engine.Sqlite);

        Assert.Equal(1, (await fixture.Run("key", "rotate", "--use", use, "--now")).Code);
        Assert.All(
            (await fixture.Json("key", "list")).EnumerateArray(), key => Assert.NotEqual("retired", key.GetProperty("state").GetString()));
    }
}
