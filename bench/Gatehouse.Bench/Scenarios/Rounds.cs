using Gatehouse.Bench.Load;

namespace Gatehouse.Bench.Scenarios;

/// <summary>How long and how often to measure.</summary>
internal sealed record Plan(int Rounds, TimeSpan Window)
{
    public static Plan Full { get; } = new(5, TimeSpan.FromSeconds(2));

    public static Plan Quick { get; } = new(3, TimeSpan.FromSeconds(1));

    /// <summary>Few a second need longer to be counted well.</summary>
    public Plan ForSlow => this with { Window = Window * 2 };
}

/// <summary>A scenario beside its floor: the medians, and of each round's ratio the median and the extremes.</summary>
internal sealed record Pair(Sample Scenario, Sample Floor, double Ratio, double LeastRatio, double MostRatio);

/// <summary>
/// Measures by turns: floor, scenario, floor, scenario, …, floor. A round's ratio is its rate over the mean of the floors before and
/// after it, so that a machine that grows slower or faster during the run does not count for either side.
/// </summary>
internal static class Rounds
{
    private const int FewestBursts = 3;
    private const int MostBursts = 40;
    private const int FewMethods = 10;
    private const double Rising = 1.03;

    private static readonly TimeSpan Burst = TimeSpan.FromMilliseconds(500);

    // The runtime compiles better code once no new methods have come up for 100 ms.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    public static Pair Measure(Subject floor, Subject scenario, int connections, Plan plan)
    {
        WarmUp(floor, connections);
        WarmUp(scenario, connections);
        List<Sample> floors = [floor.Run(connections, plan.Window)];
        List<Sample> samples = [];
        List<double> ratios = [];
        for (var round = 0; round < plan.Rounds; round++)
        {
            samples.Add(scenario.Run(connections, plan.Window));
            floors.Add(floor.Run(connections, plan.Window));
            ratios.Add(samples[^1].Rate / ((floors[^2].Rate + floors[^1].Rate) / 2));
        }

        return new Pair(
            Sample.Median(samples), Sample.Median(floors), Sample.Median(ratios, r => r), ratios.Min(), ratios.Max());
    }

    /// <summary>Bursts with pauses until two in a row are no faster than the best before them, and compile next to nothing.</summary>
    public static void WarmUp(Subject subject, int connections)
    {
        var best = 0.0;
        var compiled = subject.CompiledMethods();
        var calm = 0;
        for (var burst = 0; burst < MostBursts && (burst < FewestBursts || calm < 2); burst++)
        {
            var rate = subject.Run(connections, Burst).Rate;
            Thread.Sleep(Pause);
            var now = subject.CompiledMethods();
            calm = rate > best * Rising || now - compiled > FewMethods ? 0 : calm + 1;
            best = Math.Max(best, rate);
            compiled = now;
        }
    }
}
