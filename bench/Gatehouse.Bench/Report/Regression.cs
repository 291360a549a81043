using System.Globalization;

namespace Gatehouse.Bench.Report;

/// <summary>Whether a row is worse than the committed one by more than noise explains.</summary>
internal static class Regression
{
    public const double RatioMargin = 0.15;
    public const double AllocationMargin = 0.10;

    /// <summary>What is worse; empty when nothing is, or when there is nothing to compare with.</summary>
    public static IReadOnlyList<string> Of(Row now, Results committed)
    {
        if (committed.Find(now.Engine, now.Scenario, now.Connections) is not { } then)
            return [];
        List<string> worse = [];
        var name = string.Create(CultureInfo.InvariantCulture, $"{now.Scenario}, {now.Engine}, {now.Connections} connections");
        if (now.Ratio < then.Ratio * (1 - RatioMargin))
            worse.Add(string.Create(CultureInfo.InvariantCulture, $"{name}: {now.Ratio:0.00} × floor, was {then.Ratio:0.00}"));
        if (now.AllocatedBytes > then.AllocatedBytes * (1 + AllocationMargin))
            worse.Add(string.Create(CultureInfo.InvariantCulture, $"{name}: allocates {now.AllocatedBytes:0} bytes, was {then.AllocatedBytes:0}"));
        if (now.Errors > 0)
            worse.Add(string.Create(CultureInfo.InvariantCulture, $"{name}: {now.Errors} errors"));
        return worse;
    }
}
