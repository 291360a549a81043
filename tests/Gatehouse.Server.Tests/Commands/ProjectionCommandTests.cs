using Gatehouse.Storage;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Server.Tests.Commands;

public sealed class ProjectionCommandTests
{
    private static readonly Sql Published = new("SELECT count(*) FROM session_feed");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    public async Task Rebuild_publishes_every_session_again(Engine engine)
    {
        await using var fixture = await OperatorFixture.Start(engine);
        using var client = fixture.Server.Client();
        for (var i = 0; i < 3; i++)
        {
            await client.Login();
        }

        var database = fixture.Server.Get<Database>();
        await database.Execute(new Sql("DELETE FROM session_feed"), Ct);

        // The server's clock is the test's, the command's is not.
        await database.Execute(new Sql("UPDATE sessions SET absolute_until = 9000000000000"), Ct);

        var (code, output) = await fixture.Run("projection", "rebuild");

        Assert.Equal(0, code);
        Assert.Contains("Sessions published: 3.", output, StringComparison.Ordinal);
        Assert.Equal(3, await database.QueryOne(Published, row => row.Long(0), Ct));
        Assert.Equal("3", (await fixture.Json("projection", "rebuild")).GetProperty("sessions").ToString());
    }
}
