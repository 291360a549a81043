using System.Globalization;
using System.Text.RegularExpressions;
using Gatehouse.Storage;

namespace Gatehouse.Bench.Report;

/// <summary>What was measured on, without saying which machine it was.</summary>
internal sealed partial record Machine(string Cpu, int Cores, string Kernel, string DotNet, string PostgreSql, string Sqlite)
{
    public static Machine Read(string postgres)
    {
        // Opening one loads the system's library.
        using var sqlite = new SqliteConnection(":memory:", readOnly: false);
        var cpu = File.ReadAllLines("/proc/cpuinfo");
        var model = Array.Find(cpu, l => l.StartsWith("model name", StringComparison.Ordinal)) ?? "unknown";
        return new Machine(
            model[(model.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim(),
            cpu.Count(l => l.StartsWith("processor", StringComparison.Ordinal)),
            Version().Match(File.ReadAllText("/proc/sys/kernel/osrelease")).Value,
            Environment.Version.ToString(),
            postgres,
            SQLitePCL.raw.sqlite3_libversion().utf8_to_string());
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Cpu}, {Cores} cores, Linux {Kernel}, .NET {DotNet}, PostgreSQL {PostgreSql}, SQLite {Sqlite}");

    [GeneratedRegex(@"^\d+\.\d+(\.\d+)?", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Version();
}
