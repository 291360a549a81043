using System.Diagnostics;
using System.Globalization;
using Gatehouse.Bench.Load;

namespace Gatehouse.Bench.Processes;

/// <summary>A process on core 0, where everything runs that is measured. The generator has core 1 for itself.</summary>
internal sealed class PinnedProcess : IDisposable
{
    public const string Core = "0";

    private readonly Process process;
    private readonly Queue<string> complaints = new();
    private bool stopped;

    private PinnedProcess(Process process)
    {
        this.process = process;
        process.ErrorDataReceived += (_, line) => Remember(line.Data);
        process.BeginErrorReadLine();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Stop();
    }

    public int Id => process.Id;

    public static PinnedProcess Start(string program, IEnumerable<string> arguments, params IEnumerable<(string Name, string Value)> environment)
    {
        var start = new ProcessStartInfo("taskset", ["-c", Core, program, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var inherited in start.Environment.Keys.Where(IsOurs).ToList())
            start.Environment.Remove(inherited);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return new PinnedProcess(Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start."));
    }

    /// <summary>Moves a running process and all its children to core 0.</summary>
    public static void Move(int id)
    {
        foreach (var each in ProcStat.Children(id).Prepend(id))
        {
            using var taskset = Process.Start(
                new ProcessStartInfo("taskset", ["-apc", Core, each.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardOutput = true, UseShellExecute = false })!;
            taskset.WaitForExit();
        }
    }

    public void WriteLine(string line)
    {
        process.StandardInput.WriteLine(line);
        process.StandardInput.Flush();
    }

    /// <summary>The next line that it prints.</summary>
    public string ReadLine() => process.StandardOutput.ReadLine() ?? throw Ended();

    /// <summary>Goes on reading what it prints, so that it never waits for us.</summary>
    public void ReadOn() => _ = Task.Run(async () =>
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
            Remember(line);
    });

    public void Dispose()
    {
        Stop();
        process.Dispose();
    }

    public override string ToString()
    {
        lock (complaints)
            return string.Join(Environment.NewLine, complaints);
    }

    private void Stop()
    {
        if (stopped)
            return;
        stopped = true;
        if (process.HasExited)
            return;
        Libc.Kill(process.Id, Libc.Terminate);
        if (!process.WaitForExit(TimeSpan.FromSeconds(20)))
            process.Kill(entireProcessTree: true);
    }

    private static bool IsOurs(string name) => name.StartsWith("GATEHOUSE", StringComparison.OrdinalIgnoreCase)
        || name.StartsWith("ASPNETCORE_", StringComparison.OrdinalIgnoreCase);

    private InvalidOperationException Ended()
    {
        process.WaitForExit();
        return new InvalidOperationException($"A process ended with {process.ExitCode}.{Environment.NewLine}{this}");
    }

    private void Remember(string? line)
    {
        if (line is null)
            return;
        lock (complaints)
        {
            complaints.Enqueue(line);
            if (complaints.Count > 20)
                complaints.Dequeue();
        }
    }
}
