using System.Globalization;
using System.Text;
using Spectre.Console;

namespace Gatehouse.Bench.Report;

/// <summary>The same tables on the terminal and in Markdown.</summary>
internal static class Tables
{
    private static readonly string[] RowColumns =
    [
        "engine", "scenario", "conns", "requests/s", "p50 ms", "p99 ms", "errors", "server µs", "database µs", "bytes", "RSS MiB",
        "generator", "floor", "floor/s", "ratio", "min–max",
        "by CPU", "others",
    ];

    private static readonly string[] TargetColumns = ["target", "wanted", "reached", ""];

    public static void Print(IAnsiConsole console, Results results)
    {
        Print(console, RowColumns, results.Rows.Select(Cells));
        Print(console, ["fact", "value"], results.Facts.Select(Cells));
        Print(console, TargetColumns, Target.Of(results).Select(Cells));
    }

    public static string Markdown(Results results) => new StringBuilder()
        .Append(CultureInfo.InvariantCulture, $"# Last full run\n\n{results.Machine}.\n{results.Settings}\n\n## Targets\n\n")
        .Append(Targets(results))
        .Append("\n## Scenarios\n\n")
        .Append(Markdown(RowColumns, results.Rows.Select(Cells)))
        .Append("\n## Further numbers\n\n")
        .Append(Markdown(["fact", "value"], results.Facts.Select(Cells)))
        .ToString();

    public static string Targets(Results results) =>
        Markdown(TargetColumns, Target.Of(results).Where(t => t.IsMet is not null).Select(Cells));

    private static string[] Cells(Row r) =>
    [
        r.Engine, r.Scenario, Number(r.Connections), Number(r.Rate), Number(r.P50, "0.00"), Number(r.P99, "0.00"), Number(r.Errors),
        Number(r.ServerMicroseconds), Number(r.DatabaseMicroseconds), Number(r.AllocatedBytes), Number(r.ResidentMiB),
        Number(r.GeneratorLoad, "0 %"), r.Floor, Number(r.FloorRate), Number(r.Ratio, "0.00"),
        $"{Number(r.LeastRatio, "0.00")}–{Number(r.MostRatio, "0.00")}",
        Number(r.CpuRatio, "0.00"), Number(r.Disturbance, "0 %"),
    ];

    private static string[] Cells(Fact f) => [f.Name, $"{Number(f.Value, "0.00")}{f.Unit}"];

    private static string[] Cells(Target t) => [t.What, t.WantedText, t.ReachedText, t.Verdict];

    private static string Number(double value, string format = "#,0") => value.ToString(format, CultureInfo.InvariantCulture);

    private static void Print(IAnsiConsole console, string[] columns, IEnumerable<string[]> rows)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (var (i, name) in columns.Index())
            table.AddColumn(new TableColumn(Markup.Escape(name)) { NoWrap = true, Alignment = i is > 1 and not 12 ? Justify.Right : Justify.Left });
        foreach (var row in rows)
            table.AddRow([.. row.Select(Markup.Escape)]);
        console.Write(table);
    }

    private static string Markdown(string[] columns, IEnumerable<string[]> rows)
    {
        var text = new StringBuilder();
        text.Append("| ").AppendJoin(" | ", columns).Append(" |\n|").Insert(text.Length, " --- |", columns.Length).Append('\n');
        foreach (var row in rows)
            text.Append("| ").AppendJoin(" | ", row).Append(" |\n");
        return text.ToString();
    }
}
