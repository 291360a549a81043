using System.Globalization;

namespace Gatehouse.Bench.Report;

/// <summary>What a run must reach.</summary>
internal sealed record Target(string What, double Wanted, bool AtMost, string Unit, double? Reached)
{
    public bool? IsMet => Reached is { } value ? AtMost ? value <= Wanted : value >= Wanted : null;

    public string WantedText => string.Create(CultureInfo.InvariantCulture, $"{(AtMost ? "≤" : "≥")} {Wanted:0.00}{Unit}");

    public string ReachedText => Reached is { } value ? string.Create(CultureInfo.InvariantCulture, $"{value:0.00}{Unit}") : "–";

    public string Verdict => IsMet switch { true => "met", false => "missed", null => "not measured" };

    public static IReadOnlyList<Target> Of(Results results)
    {
        return
        [
            Ratio("SQLite", "login", 16, 0.90),
            Ratio("PostgreSQL", "login", 16, 0.90),
            Ratio("PostgreSQL", "refresh", 16, 0.60),
            Ratio("SQLite", "refresh", 16, 1.5),
            Ratio("SQLite", "refresh", 64, 1.5),
            Ratio("SQLite", "me", 16, 0.75),
            Ratio("SQLite", "me", 64, 0.75),
            Ratio("PostgreSQL", "me", 16, 0.75),
            Ratio("PostgreSQL", "me", 64, 0.75),
            Ratio("SQLite", "bootstrap-304", 16, 0.70),
            Ratio("PostgreSQL", "bootstrap-304", 16, 0.70),
            Most(Names.UnderLogin("SQLite", 16), 10, " ×"),
            Most(Names.UnderLogin("PostgreSQL", 16), 10, " ×"),
            Most(Names.Start("SQLite"), 1.0, " s"),
            Most(Names.Start("PostgreSQL"), 1.0, " s"),
            Most(Names.IdleMemory("SQLite"), 140, " MiB"),
            Most(Names.IdleMemory("PostgreSQL"), 140, " MiB"),
            Most(Names.BusyMemory("SQLite"), 200, " MiB"),
            Most(Names.BusyMemory("PostgreSQL"), 200, " MiB"),
            Ratio("PostgreSQL", Names.Large, 16, 0.80),
            Most(Names.Spread("PostgreSQL"), 100, " ms"),
            Most(Names.RevokeAll("SQLite"), 2.0, " s"),
            Most(Names.RevokeAll("PostgreSQL"), 2.0, " s"),
        ];

        Target Ratio(string engine, string scenario, int connections, double wanted)
        {
            var row = results.Find(engine, scenario, connections);
            var count = connections.ToString(CultureInfo.InvariantCulture);
            return new Target($"{scenario}, {engine}, {count} connections", wanted, AtMost: false, " × floor", row?.Ratio);
        }

        Target Most(string name, double wanted, string unit) => new(name, wanted, AtMost: true, unit, results.Find(name)?.Value);
    }
}

/// <summary>What facts are called.</summary>
internal static class Names
{
    public const string Large = "refresh-large";

    public static string UnderLogin(string engine, int connections) => string.Create(
        CultureInfo.InvariantCulture, $"p99 of me ({connections} connections) while 64 connections log in, over its quiet p99, {engine}");

    public static string Start(string engine) => $"start to ready on an existing database, {engine}";

    public static string Spread(string engine) => $"p99 from a published revoke to its refusal by another process, 200 a second, {engine}";

    public static string RevokeAll(string engine) => $"revoking the 10,000 sessions of one user, all published, {engine}";

    public static string IdleMemory(string engine) => $"resident memory, idle, {engine}";

    public static string BusyMemory(string engine) => $"resident memory under refresh load, {engine}";
}
