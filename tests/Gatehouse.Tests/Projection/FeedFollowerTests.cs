using System.Diagnostics;
using Gatehouse.Projection;
using Gatehouse.Sessions;
using Gatehouse.Testing;
using Gatehouse.Tests.Sessions;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Gatehouse.Tests.Projection;

public sealed class FeedFollowerTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    public async Task A_revoke_by_another_process_is_effective_here_well_within_a_second(Engine engine)
    {
        await using var fixture = await SessionFixture.Create(engine);
        var (here, elsewhere) = (await fixture.StartAnother(TimeProvider.System), fixture.Node);
        using var follower = new FeedFollower(
            here.Feed, here.View, here.Signal, here.Cache, TimeProvider.System, NullLogger<FeedFollower>.Instance);
        await follower.StartAsync(Ct);
        var user = await elsewhere.NewUser();
        var delays = new List<double>();
        for (var i = 0; i < 7; i++)
        {
            var id = (await elsewhere.Open(user)).Session.SessionId;
            Assert.Equal(SessionStatus.Active, (await here.Cache.Get(id, Ct))?.Status);
            await elsewhere.End(id);
            var since = Stopwatch.GetTimestamp();
            await Eventually.Holds(async () => (await here.Cache.Get(id, Ct))?.Status == SessionStatus.Revoked);
            delays.Add(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
        }

        await follower.StopAsync(Ct);
        TestContext.Current.TestOutputHelper?.WriteLine($"Milliseconds: {string.Join(", ", delays.Order().Select(d => $"{d:F0}"))}");
        Assert.InRange(delays.Order().ElementAt(delays.Count / 2), 0, 500);
    }
}
