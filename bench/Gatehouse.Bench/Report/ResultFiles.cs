namespace Gatehouse.Bench.Report;

/// <summary>Where results are committed: JSON for the next check, Markdown for people, and the targets in the README.</summary>
internal sealed class ResultFiles(string folder, string kind)
{
    private const string Begin = "<!-- targets, written by script/bench -->\n";
    private const string End = "<!-- /targets -->";

    private string Json => Path.Combine(folder, $"{kind}.json");

    private string Readme => Path.Combine(folder, "..", "README.md");

    public Results Load() => Results.Load(Json) ?? throw new InvalidOperationException("There are no committed results to compare with.");

    public void Save(Results results)
    {
        Directory.CreateDirectory(folder);
        results.Save(Json);
        File.WriteAllText(Path.Combine(folder, $"{kind}.md"), Tables.Markdown(results));
        if (kind == "latest" && File.Exists(Readme))
            File.WriteAllText(Readme, WithTargets(File.ReadAllText(Readme), Tables.Targets(results)));
    }

    private static string WithTargets(string readme, string table)
    {
        var begin = readme.IndexOf(Begin, StringComparison.Ordinal);
        var end = readme.IndexOf(End, StringComparison.Ordinal);
        return begin < 0 || end < begin ? readme : readme[..(begin + Begin.Length)] + table + readme[end..];
    }
}
