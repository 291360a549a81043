using Gatehouse.Throttling;

namespace Gatehouse.Challenges;

/// <summary>Configuration section <c>Gatehouse:Challenges</c>.</summary>
public sealed class ChallengeOptions
{
    /// <summary>How long a code is good for.</summary>
    public TimeSpan Life { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a repetition of a confirmation is answered, at least.</summary>
    public TimeSpan RepeatFor { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>The time between two messages to one address for one purpose.</summary>
    public TimeSpan Cooldown { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Messages per address over all purposes; what is over it is not sent, silently.</summary>
    public ThrottlePolicy Messages { get; set; } = new() { Limit = 6, Window = TimeSpan.FromHours(1) };

    /// <summary>How often a refused message gives the cooldown back.</summary>
    public ThrottlePolicy GiveBacks { get; set; } = new() { Limit = 2, Window = TimeSpan.FromMinutes(10) };

    /// <summary>Wrong tries per address, beyond which its codes become long.</summary>
    public ThrottlePolicy WrongTries { get; set; } = new() { Limit = 30, Window = TimeSpan.FromHours(24) };

    /// <summary>Sends per client address; visible.</summary>
    public ThrottlePolicy Sends { get; set; } = new() { Limit = 10, Window = TimeSpan.FromHours(1) };

    internal ThrottlePolicy CooldownPolicy => new() { Limit = 1, Window = Cooldown };
}
