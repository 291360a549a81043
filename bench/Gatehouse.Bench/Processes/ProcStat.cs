using System.Globalization;

namespace Gatehouse.Bench.Processes;

/// <summary>What <c>/proc</c> knows of other processes.</summary>
internal static class ProcStat
{
    private const double TicksPerSecond = 100;

    // Of a line of /proc/stat: user, nice, system, irq, softirq, steal; idle and iowait are left out.
    private static readonly int[] Busy = [1, 2, 3, 6, 7, 8];

    /// <summary>CPU seconds of a process.</summary>
    public static double CpuSeconds(int process) => Fields(process) is { } f ? Ticks(f, 11) + Ticks(f, 12) : 0;

    /// <summary>CPU seconds of a process and all its children, those that have ended among them.</summary>
    public static double TreeCpuSeconds(int process)
    {
        var total = Fields(process) is { } own ? Ticks(own, 11) + Ticks(own, 12) + Ticks(own, 13) + Ticks(own, 14) : 0;
        return total + Children(process).Sum(CpuSeconds);
    }

    /// <summary>CPU seconds that anybody used on core 0, the hypervisor's other guests among them.</summary>
    public static double CoreSeconds()
    {
        var ticks = File.ReadLines("/proc/stat").First(l => l.StartsWith("cpu0 ", StringComparison.Ordinal)).Split(' ');
        return Busy.Sum(i => Ticks(ticks, i));
    }

    public static IEnumerable<int> Children(int process) =>
        from folder in Directory.EnumerateDirectories("/proc")
        where int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out _)
        let id = int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture)
        where Fields(id) is { } f && int.Parse(f[1], CultureInfo.InvariantCulture) == process
        select id;

    /// <summary>Resident memory in MiB.</summary>
    public static double ResidentMiB(int process)
    {
        var line = File.ReadLines($"/proc/{process}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }

    // The fields after the name, which stands in parentheses and may hold anything: [0] is the state, field 3 of proc(5).
    private static string[]? Fields(int process)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{process}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static double Ticks(string[] fields, int index) => long.Parse(fields[index], CultureInfo.InvariantCulture) / TicksPerSecond;
}
