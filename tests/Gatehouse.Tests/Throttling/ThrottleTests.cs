using Gatehouse.Storage;
using Gatehouse.Testing;
using Gatehouse.Throttling;
using Xunit;

namespace Gatehouse.Tests.Throttling;

public sealed class ThrottleTests
{
    private static readonly Sql CountRows = new("SELECT count(*) FROM throttles");
    private static readonly TimeSpan Instant = TimeSpan.FromMilliseconds(1);

    private readonly ManualTime time = new();
    private readonly ThrottleOptions options = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    [Requirement("S1-103")]
    public async Task Five_sign_ins_from_an_address_and_then_one_each_three_minutes(Engine engine)
    {
        await using var store = await TestDatabase.Create(engine);
        var throttle = New(store);
        for (var remaining = 4; remaining >= 0; remaining--)
        {
            var permit = await throttle.Reserve("a", options.Login, Ct);
            Assert.Equal((true, 5, remaining), (permit.Granted, permit.Limit, permit.Remaining));
            Assert.Equal(time.Now() + 180_000, permit.ResetAt);
        }

        var refused = await throttle.Reserve("a", options.Login, Ct);
        Assert.Equal((false, 0, 180), (refused.Granted, refused.Remaining, refused.RetryAfter(time.Now())));
        Assert.True((await throttle.Reserve("b", options.Login, Ct)).Granted);

        time.Advance(TimeSpan.FromMinutes(3) - Instant);
        Assert.False((await throttle.Reserve("a", options.Login, Ct)).Granted);
        time.Advance(Instant);
        Assert.True((await throttle.Reserve("a", options.Login, Ct)).Granted);
        Assert.False((await throttle.Reserve("a", options.Login, Ct)).Granted);

        time.Advance(TimeSpan.FromMinutes(15));
        Assert.Equal(4, (await throttle.Reserve("a", options.Login, Ct)).Remaining);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-103")]
    public async Task Two_hundred_reservations_at_once_in_two_processes_get_exactly_the_limit(Engine engine)
    {
        await using var store = await TestDatabase.Create(engine);
        Throttle[] throttles = [New(store), New(store)];
        foreach (var limit in (int[])[1, 5, 150])
        {
            var policy = new ThrottlePolicy { Limit = limit, Window = TimeSpan.FromMinutes(15) };

            var permits = await Together.Run(200, i => throttles[i % 2].Reserve($"burst{limit}", policy, Ct));

            Assert.Equal(limit, permits.Count(permit => permit.Granted));
            Assert.Equal(Enumerable.Range(0, limit), permits.Where(permit => permit.Granted).Select(permit => permit.Remaining).Order());
        }
    }

    [Theory]
    [BothEngines]
    public async Task A_permit_given_back_is_one_permit_and_is_told_so(Engine engine)
    {
        await using var store = await TestDatabase.Create(engine);
        var db = store.Open();
        var throttle = New(store);
        var permits = new List<Permit>();
        for (var i = 0; i < 5; i++)
        {
            permits.Add(await throttle.Reserve("a", options.Login, Ct));
        }

        var batch = new Batch();
        Throttle.Return(batch, permits[1]);
        await db.Run(batch, Ct);

        Assert.Equal(4, permits[1].Returned.Remaining);
        Assert.Equal(5, permits[0].Returned.Remaining);
        Assert.Equal(time.Now(), permits[0].Returned.ResetAt);
        Assert.True((await throttle.Reserve("a", options.Login, Ct)).Granted);
        Assert.False((await throttle.Reserve("a", options.Login, Ct)).Granted);
    }

    [Theory]
    [BothEngines]
    public async Task Purging_keeps_every_row_that_still_says_something(Engine engine)
    {
        await using var store = await TestDatabase.Create(engine);
        var (db, throttle) = (store.Open(), New(store));
        await throttle.Reserve("spent", options.Login, Ct);
        time.Advance(TimeSpan.FromMinutes(3) - Instant);
        for (var i = 0; i < 5; i++)
        {
            await throttle.Reserve("live", options.Login, Ct);
        }

        Assert.Equal(0, await throttle.PurgeIdle(Ct));
        time.Advance(Instant + Instant);
        Assert.Equal(1, await throttle.PurgeIdle(Ct));

        Assert.Equal(1, await db.QueryOne(CountRows, row => row.Long(0), Ct));
        Assert.False((await throttle.Reserve("live", options.Login, Ct)).Granted);
        Assert.Equal(4, (await throttle.Reserve("spent", options.Login, Ct)).Remaining);
    }

    [Fact]
    public async Task Switched_off_it_grants_all_and_writes_nothing()
    {
        await using var store = await TestDatabase.Create(Engine.Sqlite);
        options.Enabled = false;
        var throttle = New(store);
        for (var i = 0; i < 10; i++)
        {
            var permit = await throttle.Reserve("a", options.Login, Ct);
            Assert.Equal((true, 5), (permit.Granted, permit.Remaining));
            Assert.Same(permit, permit.Returned);
        }

        Assert.Equal(0, await store.Open().QueryOne(CountRows, row => row.Long(0), Ct));
    }

    private Throttle New(TestDatabase store) => new(store.Open(), time, options);
}
