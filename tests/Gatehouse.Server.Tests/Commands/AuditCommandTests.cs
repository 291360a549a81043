using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Server.Tests.Commands;

public sealed class AuditCommandTests
{
    [Theory]
    [BothEngines]
    public async Task Tail_shows_the_newest_events_latest_last(Engine engine)
    {
        await using var fixture = await OperatorFixture.Start(engine);
        using var client = fixture.Server.Client();
        var login = await client.Login();
        fixture.Server.Time.Advance(TimeSpan.FromSeconds(1));
        await client.Post("/api/v1/auth/logout", bearer: login["accessToken"]);

        var all = await fixture.Json("audit", "tail", "--limit", "1000");
        var last = await fixture.Json("audit", "tail", "--limit", "1");
        var jane = await fixture.Json("audit", "tail", "--user", ApiClient.Jane);
        var (code, table) = await fixture.Run("audit", "tail");

        Assert.Equal("session.revoked", Assert.Single(last.EnumerateArray()).GetProperty("action").GetString());
        Assert.Equal(login["sessionId"], last[0].GetProperty("session").GetString());
        Assert.Equal("logout", last[0].GetProperty("details").GetString());
        Assert.Equal("127.0.0.1", last[0].GetProperty("ip").GetString());
        Assert.Equal(last[0].ToString(), all.EnumerateArray().Last().ToString());
        Assert.DoesNotContain(jane.EnumerateArray(), e => e.GetProperty("action").GetString() == "session.revoked");
        Assert.NotEmpty(jane.EnumerateArray());
        Assert.Equal(0, code);
        Assert.Contains("session.revoked", table, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tail_refuses_an_unknown_user_and_a_negative_limit()
    {
        await using var fixture = await OperatorFixture.Start(Engine.Sqlite);

        Assert.Equal(1, (await fixture.Run("audit", "tail", "--user", "nobody@example.com")).Code);
        Assert.Equal(1, (await fixture.Run("audit", "tail", "--limit", "-1")).Code);
    }

    [Fact]
    public async Task Follow_prints_one_object_per_line_until_interrupted()
    {
        await using var fixture = await OperatorFixture.Start(Engine.Sqlite);
        using var client = fixture.Server.Client();
        await client.Login();
        using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        await using var lines = new LineChannel();

        var tail = fixture.Invoke(lines, interrupt.Token, "audit", "tail", "--follow", "--limit", "2", "--json");
        var first = JsonDocument.Parse(await lines.Next()).RootElement;
        await lines.Next();
        await interrupt.CancelAsync();

        Assert.Equal(0, await tail);
        Assert.True(first.TryGetProperty("action", out _));
    }

    /// <summary>What was written, line by line, as it comes.</summary>
    private sealed class LineChannel : TextWriter
    {
        private readonly Channel<string> lines = Channel.CreateUnbounded<string>();

        public override Encoding Encoding => Encoding.UTF8;

        public override void WriteLine(string? value) => lines.Writer.TryWrite(value ?? "");

        public ValueTask<string> Next() => lines.Reader.ReadAsync(TestContext.Current.CancellationToken);
    }
}
