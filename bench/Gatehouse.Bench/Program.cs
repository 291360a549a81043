using System.CommandLine;
using Gatehouse.Bench;
using Gatehouse.Bench.Floors;
using Gatehouse.Bench.Report;
using Gatehouse.Bench.Scenarios;
using Gatehouse.Testing;
using Spectre.Console;

if (args is ["floor", ..])
    return await FloorProcess.Run(args[1..]);

var words = new Argument<string[]>("scenario") { Arity = ArgumentArity.ZeroOrMore, Description = "Only scenarios whose name holds one of these." };
var check = new Option<bool>("--check") { Description = "Compare with the committed results, and fail where this run is worse." };
var quick = new Option<bool>("--quick") { Description = "Fewer and shorter rounds." };
var large = new Option<bool>("--large") { Description = "Refresh at ten million sessions beside ten thousand, instead of everything else." };
var engine = new Option<Engine?>("--engine") { Description = "Only on this store: sqlite or postgres." };
var folder = new Option<string>("--results") { DefaultValueFactory = _ => "bench/results", Description = "The folder of the committed results." };
var bench = new RootCommand("Measures Gatehouse beside the floors it stands on.") { words, engine, check, quick, large, folder };
words.Validators.Add(given =>
{
    foreach (var word in given.GetValueOrDefault<string[]>().Where(w => !Array.Exists(BenchOptions.Names, n => n.Contains(w, StringComparison.Ordinal))))
        given.AddError($"No scenario has '{word}' in its name: {string.Join(", ", BenchOptions.Names)}.");
});
bench.SetAction(async (parsed, _) =>
{
    var console = AnsiConsole.Console;
    if (Console.IsOutputRedirected)
        console.Profile.Width = 250;
    var chosen = parsed.GetValue(words)!;
    var (isCheck, isQuick, isLarge) = (parsed.GetValue(check), parsed.GetValue(quick), parsed.GetValue(large));
    Engine[] engines = parsed.GetValue(engine) is { } only ? [only] : Enum.GetValues<Engine>();
    var files = new ResultFiles(parsed.GetValue(folder)!, isLarge ? "large" : "latest");
    var options = new BenchOptions(chosen, engines, isQuick ? Plan.Quick : Plan.Full, isLarge, isCheck ? files.Load() : null);
    await using var run = new BenchRun(options, line => console.WriteLine(line));
    var results = await run.Run();
    console.WriteLine();
    console.WriteLine($"{results.Machine}.");
    console.WriteLine(results.Settings);
    Tables.Print(console, results);
    if (isCheck)
    {
        foreach (var worse in run.Regressions)
            console.WriteLine($"worse: {worse}");
        console.WriteLine(run.Regressions.Count == 0 ? "No worse than the committed results." : "Worse than the committed results.");
        return run.Regressions.Count == 0 ? 0 : 1;
    }

    // A part of a run, or a hasty one, is not what later runs should be compared with.
    if (!isQuick && chosen.Length == 0 && engines.Length > 1)
        files.Save(results);
    else
        new ResultFiles("artifacts/bench", "last").Save(results);
    return 0;
});
return await bench.Parse(args).InvokeAsync();
