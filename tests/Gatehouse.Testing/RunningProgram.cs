using System.Diagnostics;
using System.Globalization;

namespace Gatehouse.Testing;

/// <summary>What a program left behind.</summary>
public sealed record Finished(int ExitCode, string Output, string Error);

/// <summary>A program as a process of its own: its output as it comes, signals, and its end. Never outlives the test.</summary>
public sealed class RunningProgram : IAsyncDisposable
{
    /// <summary>How long anything may take on a busy machine.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Process process;
    private readonly string name;
    private readonly Lock gate = new();
    private readonly List<string> output = [];
    private readonly List<string> errors = [];
    private TaskCompletionSource changed = New();

    private RunningProgram(Process process, string name)
    {
        this.process = process;
        this.name = name;
        process.OutputDataReceived += (_, e) => Add(output, e.Data);
        process.ErrorDataReceived += (_, e) => Add(errors, e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Everything printed so far, standard output before standard error.</summary>
    public string Printed => string.Join('\n', Lines(output).Concat(Lines(errors)));

    /// <summary>Starts a program. A variable without a value is taken out of its environment.</summary>
    public static RunningProgram Start(
        string program, IEnumerable<string> arguments, IEnumerable<(string Name, string? Value)> environment, string? folder = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? Repository.Root,
        };
        foreach (var (variable, value) in environment)
        {
            start.Environment[variable] = value;
        }

        return new RunningProgram(
            Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start."), Path.GetFileName(program));
    }

    /// <summary>Runs a program to its end.</summary>
    public static async Task<Finished> Run(
        string program,
        IEnumerable<string> arguments,
        IEnumerable<(string Name, string? Value)> environment,
        string input = "",
        string? folder = null)
    {
        await using var running = Start(program, arguments, environment, folder);
        await running.process.StandardInput.WriteAsync(input);
        running.process.StandardInput.Close();
        var code = await running.Exit();
        return new Finished(code, string.Join('\n', running.Lines(running.output)), string.Join('\n', running.Lines(running.errors)));
    }

    /// <summary>Sends a line to its standard input.</summary>
    public async Task Send(string line)
    {
        await process.StandardInput.WriteLineAsync(line);
        await process.StandardInput.FlushAsync();
    }

    /// <summary>Waits for a line of standard output that begins like this; fails when the program ends without it.</summary>
    public async Task<string> Line(string beginning)
    {
        var exit = process.WaitForExitAsync();
        for (var seen = 0; ;)
        {
            Task change;
            bool hasEnded;
            lock (gate)
            {
                hasEnded = exit.IsCompleted;
                for (; seen < output.Count; seen++)
                {
                    if (output[seen].StartsWith(beginning, StringComparison.Ordinal))
                    {
                        return output[seen];
                    }
                }

                change = changed.Task;
            }

            if (hasEnded)
            {
                throw new InvalidOperationException($"{name} ended ({process.ExitCode}) without the line '{beginning}…':\n{Printed}");
            }

            await WithPatience(Task.WhenAny(change, exit), $"the line '{beginning}…'");
        }
    }

    /// <summary>Waits for the end, and for all that was printed before it; returns the exit code.</summary>
    public async Task<int> Exit()
    {
        await WithPatience(process.WaitForExitAsync(), "its end");
        return process.ExitCode;
    }

    /// <summary>Asks it to stop, as an operator or an orchestrator does (SIGTERM).</summary>
    public async Task Terminate()
    {
        using var kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Ends it on the spot, as a crash or a power cut does (SIGKILL).</summary>
    public void Kill() => process.Kill();

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }

        process.Dispose();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Add(List<string> lines, string? line)
    {
        if (line is null)
        {
            return;
        }

        TaskCompletionSource before;
        lock (gate)
        {
            lines.Add(line);
            before = changed;
            changed = New();
        }

        before.SetResult();
    }

    private List<string> Lines(List<string> lines)
    {
        lock (gate)
        {
            return [.. lines];
        }
    }

    private async Task WithPatience(Task task, string what)
    {
        try
        {
            await task.WaitAsync(Patience);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{name}: {what} did not come within {Patience.TotalSeconds} s. It printed:\n{Printed}", e);
        }
    }
}
