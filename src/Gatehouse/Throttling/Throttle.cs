using Gatehouse.Storage;

namespace Gatehouse.Throttling;

/// <summary>The answer of a throttle, as the <c>X-RateLimit-*</c> headers tell it.</summary>
/// <param name="Granted">Whether the caller may go on.</param>
/// <param name="Limit">The permits of an untouched key.</param>
/// <param name="Remaining">The permits left.</param>
/// <param name="ResetAt">When the next permit comes back, Unix ms.</param>
/// <param name="Key">What was counted; empty when throttles are off.</param>
/// <param name="Interval">What one permit is worth, ms.</param>
public sealed record Permit(bool Granted, int Limit, int Remaining, long ResetAt, string Key, long Interval)
{
    /// <summary>The same permit once it was given back.</summary>
    public Permit Returned => Key.Length == 0
        ? this
        : this with { Remaining = Remaining + 1, ResetAt = Remaining + 1 == Limit ? ResetAt - Interval : ResetAt };

    /// <summary>Whole seconds until a permit is free, at least one.</summary>
    public int RetryAfter(long now) => (int)Math.Max(1, (ResetAt - now + 999) / 1000);

    /// <summary>Reads a permit from a key's arrival time (GCRA).</summary>
    internal static Permit From(ThrottlePolicy policy, string key, long tat, bool granted, long now)
    {
        var used = Math.Clamp((Math.Max(0, tat - now) + policy.Interval - 1) / policy.Interval, 0, policy.Limit);
        var remaining = granted ? policy.Limit - (int)used : 0;
        var resetAt = used == 0 ? now : Math.Max(now, tat - (policy.Interval * (used - 1)));
        return new Permit(granted, policy.Limit, remaining, granted ? resetAt : tat - policy.Burst, key, policy.Interval);
    }
}

/// <summary>
/// Limits that hold across processes: one row and one statement per key. A key is counted before the work it guards, so a
/// burst in parallel gets no more than its limit.
/// </summary>
public sealed class Throttle(Database database, TimeProvider time, ThrottleOptions options)
{
    private static readonly Sql Take = new("""
        INSERT INTO throttles (throttle_key, tat) VALUES (@key, @now + @interval)
        ON CONFLICT (throttle_key) DO UPDATE
            SET tat = CASE WHEN throttles.tat > @now THEN throttles.tat ELSE @now END + @interval
            WHERE throttles.tat <= @now + @burst
        RETURNING tat
        """);

    private static readonly Sql Read = new("SELECT tat FROM throttles WHERE throttle_key = @key");
    private static readonly Sql GiveBack = new("UPDATE throttles SET tat = tat - @interval WHERE throttle_key = @key");
    private static readonly Sql Purge = new("DELETE FROM throttles WHERE tat < @now");

    /// <summary>Takes a permit, or tells when one will be free.</summary>
    public async Task<Permit> Reserve(string key, ThrottlePolicy policy, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(policy);
        var now = time.Now();
        if (!options.Enabled)
        {
            return new Permit(Granted: true, policy.Limit, policy.Limit, now, "", policy.Interval);
        }

        var taken = await database.QueryOne(Take, row => (long?)row.Long(0), ct, Args(key, policy));
        if (taken is { } tat)
        {
            return Permit.From(policy, key, tat, granted: true, now);
        }

        return await Refused(key, policy, ct);
    }

    /// <summary>What to tell somebody who got no permit. The row may have been given back or purged since; then the next one is free now.</summary>
    internal async Task<Permit> Refused(string key, ThrottlePolicy policy, CancellationToken ct)
    {
        var now = time.Now();
        var tat = await database.QueryOne(Read, row => (long?)row.Long(0), ct, ("key", key));
        return Permit.From(policy, key, Math.Max(tat ?? 0, now + policy.Burst), granted: false, now);
    }

    /// <summary>Takes a permit inside a transaction, whether throttles are on or not.</summary>
    internal async Task<bool> ReserveAlways(Statements tx, string key, ThrottlePolicy policy, CancellationToken ct) =>
        await tx.QueryOne(Take, row => (long?)row.Long(0), ct, Args(key, policy)) is not null;

    /// <summary>Takes a permit with the batch; the answer is there once it has run.</summary>
    internal Func<bool> Reserve(Batch batch, string key, ThrottlePolicy policy)
    {
        if (!options.Enabled)
        {
            return () => true;
        }

        var taken = batch.Query(Take, row => row.Long(0), Args(key, policy));
        return () => taken.All.Count > 0;
    }

    /// <summary>Looks, with the batch, whether a key has no permit left.</summary>
    internal Func<bool> IsExhausted(Batch batch, string key, ThrottlePolicy policy)
    {
        var now = time.Now();
        var tat = batch.Query(Read, row => row.Long(0), ("key", key));
        return () => options.Enabled && tat.First > now + policy.Burst;
    }

    /// <summary>Gives exactly this permit back, in the transaction of the success that earned it.</summary>
    public static void Return(Batch batch, Permit permit)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(permit);
        if (permit.Key.Length > 0)
        {
            batch.Add(GiveBack, ("key", permit.Key), ("interval", permit.Interval));
        }
    }

    /// <summary>Forgets the keys that are untouched again.</summary>
    public Task<int> PurgeIdle(CancellationToken ct) => database.Execute(Purge, ct, ("now", time.Now()));

    private Arg[] Args(string key, ThrottlePolicy policy) =>
        [("key", key), ("now", time.Now()), ("interval", policy.Interval), ("burst", policy.Burst)];
}
