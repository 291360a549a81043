using System.Diagnostics;

namespace Gatehouse.Bench.Load;

/// <summary>What one round of one subject measured. Times of CPU and allocation are per request.</summary>
internal sealed record Sample
{
    public required double Rate { get; init; }

    public required double P50Milliseconds { get; init; }

    public required double P99Milliseconds { get; init; }

    public long Errors { get; init; }

    public double ServerMicroseconds { get; init; }

    public double DatabaseMicroseconds { get; init; }

    public double AllocatedBytes { get; init; }

    /// <summary>The part of its core that the generator used; near 1 it measures itself.</summary>
    public double GeneratorLoad { get; init; }

    public double ResidentMiB { get; init; }

    /// <summary>The part of core 0 that went to neither the server nor the database: above a few per cent, the round was disturbed.</summary>
    public double Disturbance { get; init; }

    /// <summary>All CPU time on core 0 that a request costs. Unlike a rate, it hardly feels what else the machine is doing.</summary>
    public double CpuMicroseconds => ServerMicroseconds + DatabaseMicroseconds;

    /// <summary>Rate and percentiles of so many latencies, in ticks of <see cref="Stopwatch"/>.</summary>
    public static Sample Of(long[] latencies, TimeSpan took, long errors)
    {
        Array.Sort(latencies);
        return new Sample
        {
            Rate = latencies.Length / took.TotalSeconds,
            P50Milliseconds = Percentile(latencies, 0.50),
            P99Milliseconds = Percentile(latencies, 0.99),
            Errors = errors,
        };
    }

    /// <summary>The median of each number over several rounds; errors are added up.</summary>
    public static Sample Median(IReadOnlyList<Sample> rounds) => new()
    {
        Rate = Median(rounds, s => s.Rate),
        P50Milliseconds = Median(rounds, s => s.P50Milliseconds),
        P99Milliseconds = Median(rounds, s => s.P99Milliseconds),
        Errors = rounds.Sum(s => s.Errors),
        ServerMicroseconds = Median(rounds, s => s.ServerMicroseconds),
        DatabaseMicroseconds = Median(rounds, s => s.DatabaseMicroseconds),
        AllocatedBytes = Median(rounds, s => s.AllocatedBytes),
        GeneratorLoad = Median(rounds, s => s.GeneratorLoad),
        ResidentMiB = Median(rounds, s => s.ResidentMiB),
        Disturbance = Median(rounds, s => s.Disturbance),
    };

    public static double Median<T>(IEnumerable<T> rounds, Func<T, double> value)
    {
        double[] sorted = [.. rounds.Select(value).Order()];
        var middle = sorted.Length / 2;
        return sorted.Length == 0 ? 0 : sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static double Percentile(long[] sorted, double part) => sorted.Length == 0
        ? 0
        : sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * part))] * 1000.0 / Stopwatch.Frequency;
}
