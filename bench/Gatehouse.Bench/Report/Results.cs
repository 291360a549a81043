using System.Text.Json;
using Gatehouse.Bench.Scenarios;

namespace Gatehouse.Bench.Report;

/// <summary>One run, as it is committed.</summary>
internal sealed record Results(Machine Machine, string Settings, List<Row> Rows, List<Fact> Facts)
{
    private static readonly JsonSerializerOptions Format =
        new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase, NewLine = "\n" };

    public static Results? Load(string file) =>
        File.Exists(file) ? JsonSerializer.Deserialize<Results>(File.ReadAllText(file), Format) : null;

    public void Save(string file) => File.WriteAllText(file, JsonSerializer.Serialize(this, Format) + "\n");

    public Row? Find(string engine, string scenario, int connections) =>
        Rows.Find(r => r.Engine == engine && r.Scenario == scenario && r.Connections == connections);

    public Fact? Find(string name) => Facts.Find(f => f.Name == name);
}

/// <summary>A scenario at so many connections, beside its floor.</summary>
internal sealed record Row(
    string Engine,
    string Scenario,
    int Connections,
    double Rate,
    double P50,
    double P99,
    long Errors,
    double ServerMicroseconds,
    double DatabaseMicroseconds,
    double AllocatedBytes,
    double ResidentMiB,
    double GeneratorLoad,
    string Floor,
    double FloorRate,
    double FloorP50,
    double FloorP99,
    double FloorServerMicroseconds,
    double FloorDatabaseMicroseconds,
    double Ratio,
    double LeastRatio,
    double MostRatio,
    double CpuRatio,
    double Disturbance)
{
    public static Row Of(string engine, string scenario, int connections, string floor, Pair pair) => new(
        engine,
        scenario,
        connections,
        Math.Round(pair.Scenario.Rate, 1),
        Math.Round(pair.Scenario.P50Milliseconds, 3),
        Math.Round(pair.Scenario.P99Milliseconds, 3),
        pair.Scenario.Errors + pair.Floor.Errors,
        Math.Round(pair.Scenario.ServerMicroseconds, 1),
        Math.Round(pair.Scenario.DatabaseMicroseconds, 1),
        Math.Round(pair.Scenario.AllocatedBytes),
        Math.Round(pair.Scenario.ResidentMiB, 1),
        Math.Round(Math.Max(pair.Scenario.GeneratorLoad, pair.Floor.GeneratorLoad), 2),
        floor,
        Math.Round(pair.Floor.Rate, 1),
        Math.Round(pair.Floor.P50Milliseconds, 3),
        Math.Round(pair.Floor.P99Milliseconds, 3),
        Math.Round(pair.Floor.ServerMicroseconds, 1),
        Math.Round(pair.Floor.DatabaseMicroseconds, 1),
        Math.Round(pair.Ratio, 3),
        Math.Round(pair.LeastRatio, 3),
        Math.Round(pair.MostRatio, 3),
        Math.Round(pair.Floor.CpuMicroseconds / Math.Max(0.1, pair.Scenario.CpuMicroseconds), 3),
        Math.Round(Math.Max(pair.Scenario.Disturbance, pair.Floor.Disturbance), 3));
}

/// <summary>A number that is no rate.</summary>
internal sealed record Fact(string Name, double Value, string Unit);
