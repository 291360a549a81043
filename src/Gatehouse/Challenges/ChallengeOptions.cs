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

    /// <summary>Codes handed in per client address; visible.</summary>
    public ThrottlePolicy Confirms { get; set; } = new() { Limit = 60, Window = TimeSpan.FromHours(1) };

    /// <summary>What cannot be meant.</summary>
    public IEnumerable<string> Problems()
    {
        foreach (var (name, policy) in new[]
        {
            (nameof(Messages), Messages), (nameof(GiveBacks), GiveBacks), (nameof(WrongTries), WrongTries), (nameof(Sends), Sends),
            (nameof(Confirms), Confirms),
        }.Where(pair => !pair.Item2.IsUsable))
        {
            yield return $"Gatehouse:Challenges:{name} {ThrottlePolicy.Need}";
        }

        if (Life < TimeSpan.FromMinutes(1) || RepeatFor < TimeSpan.Zero || Cooldown < TimeSpan.FromMilliseconds(1))
        {
            yield return "Gatehouse:Challenges: Life must be at least a minute, Cooldown more than nothing, RepeatFor not negative.";
        }
    }

    internal ThrottlePolicy CooldownPolicy => new() { Limit = 1, Window = Cooldown };
}
