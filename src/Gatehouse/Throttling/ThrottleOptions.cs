namespace Gatehouse.Throttling;

/// <summary>So many permits, each returned after its share of the window.</summary>
public sealed record ThrottlePolicy
{
    /// <summary>The permits of an untouched key.</summary>
    public int Limit { get; set; }

    /// <summary>The time in which all permits come back, one by one.</summary>
    public TimeSpan Window { get; set; }

    /// <summary>What <see cref="IsUsable"/> asks for, to be said of a setting by its name.</summary>
    public const string Need = "needs a Limit of at least 1 and a Window of at least a millisecond per permit.";

    /// <summary>Whether it can be counted by.</summary>
    public bool IsUsable => Limit >= 1 && Window >= TimeSpan.FromMilliseconds(Limit);

    /// <summary>The time between two returned permits, in milliseconds.</summary>
    public long Interval => Window.Milliseconds() / Limit;

    /// <summary>How far ahead of now a key's arrival time may lie while a permit is still free.</summary>
    public long Burst => Interval * (Limit - 1);
}

/// <summary>Configuration section <c>Gatehouse:RateLimits</c>.</summary>
public sealed class ThrottleOptions
{
    /// <summary>Off stops every throttle, budget and quota; the headers still appear.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Sign-in attempts per client address.</summary>
    public ThrottlePolicy Login { get; set; } = new() { Limit = 5, Window = TimeSpan.FromMinutes(15) };

    /// <summary>Password attempts per account from places the user never signed in from, and per place they did.</summary>
    public ThrottlePolicy Account { get; set; } = new() { Limit = 10, Window = TimeSpan.FromHours(1) };

    /// <summary>Refreshes per session.</summary>
    public ThrottlePolicy Refresh { get; set; } = new() { Limit = 10, Window = TimeSpan.FromHours(1) };
}
