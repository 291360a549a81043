using FsCheck;
using FsCheck.Fluent;
using Gatehouse.Storage;
using Gatehouse.Testing;
using Gatehouse.Throttling;
using Xunit;

namespace Gatehouse.Tests.Throttling;

/// <summary>What must hold after any sequence of waits, attempts and returns.</summary>
public sealed class ThrottlePropertyTests
{
    private static readonly Gen<Step> Steps =
        from pause in Gen.Frequency((3, Gen.Constant(0)), (2, Gen.Choose(0, 400)), (1, Gen.Choose(0, 3000)))
        from isReturned in Gen.Frequency((4, Gen.Constant(false)), (1, Gen.Constant(true)))
        select new Step(pause, isReturned);

    private static readonly Arbitrary<Case> Cases =
        (from limit in Gen.Choose(1, 6)
         from window in Gen.Choose(limit, 2000)
         from steps in Steps.ListOf(40)
         select new Case(limit, window, [.. steps])).ToArbitrary();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_span_of_time_sees_more_grants_than_the_limit_and_what_came_back_in_it()
    {
        await using var store = await TestDatabase.Create(Engine.Sqlite);
        var db = store.Open();
        var number = 0;
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(25),
            Prop.ForAll(Cases, c => Holds(db, $"case{number++}", c).GetAwaiter().GetResult()));
    }

    private static async Task<bool> Holds(Database db, string key, Case c)
    {
        var time = new ManualTime();
        var throttle = new Throttle(db, time, new ThrottleOptions());
        var policy = new ThrottlePolicy { Limit = c.Limit, Window = TimeSpan.FromMilliseconds(c.Window) };
        var kept = new List<long>();
        Permit? refused = null;
        foreach (var step in c.Steps)
        {
            time.Advance(TimeSpan.FromMilliseconds(step.Pause));
            var permit = await throttle.Reserve(key, policy, Ct);

            // A refusal names the first moment of the next grant, and nothing else changed meanwhile.
            Assert.True(refused is null || permit.Granted == (time.Now() >= refused.ResetAt));
            refused = permit.Granted ? null : permit;
            if (!permit.Granted)
            {
                Assert.True(permit.ResetAt > time.Now());
                continue;
            }

            Assert.InRange(permit.Remaining, 0, c.Limit - 1);
            if (step.IsReturned)
            {
                var batch = new Batch();
                Throttle.Return(batch, permit);
                await db.Run(batch, Ct);
                continue;
            }

            kept.Add(time.Now());
            for (var first = 0; first < kept.Count; first++)
            {
                var span = kept[^1] - kept[first];
                Assert.True(kept.Count - first <= c.Limit + (span / policy.Interval));
            }
        }

        // At the end, "remaining" is exactly what is still granted now, and the reset is the moment of one more.
        await UseUp(throttle, policy, key, time);
        return true;
    }

    private static async Task UseUp(Throttle throttle, ThrottlePolicy policy, string key, ManualTime time)
    {
        var permit = await throttle.Reserve(key, policy, Ct);
        for (var remaining = permit.Remaining; permit.Granted && remaining > 0; remaining--)
        {
            permit = await throttle.Reserve(key, policy, Ct);
            Assert.Equal((true, remaining - 1), (permit.Granted, permit.Remaining));
        }

        if (permit.Granted)
        {
            permit = await throttle.Reserve(key, policy, Ct);
        }

        Assert.False(permit.Granted);
        time.Advance(TimeSpan.FromMilliseconds(permit.ResetAt - time.Now() - 1));
        Assert.False((await throttle.Reserve(key, policy, Ct)).Granted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True((await throttle.Reserve(key, policy, Ct)).Granted);
    }

    private sealed record Step(int Pause, bool IsReturned);

    private sealed record Case(int Limit, int Window, IReadOnlyList<Step> Steps);
}
