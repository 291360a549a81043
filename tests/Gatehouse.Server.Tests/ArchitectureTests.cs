using System.Reflection;
using System.Xml.Linq;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Server.Tests;

/// <summary>The house keeps its shape: dependencies point one way, and folders are named for what is in them.</summary>
public sealed class ArchitectureTests
{
    // Whom each project may know. A new project gets its line here, and nobody below it may know it.
    private static readonly Dictionary<string, string[]> Arrows = new(StringComparer.Ordinal)
    {
        ["Gatehouse"] = [],
        ["Gatehouse.Http"] = ["Gatehouse"],
        ["Gatehouse.Server"] = ["Gatehouse", "Gatehouse.Http"],
    };

    private static readonly string[] EmptyNames =
        ["Services", "Repositories", "Interfaces", "Implementations", "Helpers", "Utils", "Utilities", "Managers", "Common", "Misc"];

    private static readonly string Source = Path.Combine(Repository.Root, "src");

    public static TheoryData<string> Projects => [.. Arrows.Keys];

    [Fact]
    public void Every_project_under_src_has_its_arrows() => Assert.Equal(
        Arrows.Keys.Order(StringComparer.Ordinal),
        Directory.GetFiles(Source, "*.csproj", SearchOption.AllDirectories).Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_references_only_what_is_below_it(string project)
    {
        var file = XDocument.Load(Path.Combine(Source, project, $"{project}.csproj"));
        var references = file.Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value));

        Assert.Empty(references.Except(Arrows[project], StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void The_compiled_project_references_only_what_is_below_it(string project)
    {
        var ours = Assembly.Load(project).GetReferencedAssemblies()
            .Select(assembly => assembly.Name!)
            .Where(name => name.StartsWith("Gatehouse", StringComparison.Ordinal));

        Assert.Empty(ours.Except(Arrows[project], StringComparer.Ordinal));
    }

    [Fact]
    public void The_features_know_nothing_of_the_wire()
    {
        var wire = Assembly.Load("Gatehouse").GetReferencedAssemblies()
            .Select(assembly => assembly.Name!)
            .Where(name => name.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal) || name.StartsWith("System.CommandLine", StringComparison.Ordinal));

        Assert.Empty(wire);
    }

    [Fact]
    public void No_folder_is_named_for_a_kind_of_class()
    {
        var named = Directory.GetDirectories(Source, "*", SearchOption.AllDirectories)
            .Where(folder => EmptyNames.Contains(Path.GetFileName(folder), StringComparer.OrdinalIgnoreCase));

        Assert.Empty(named);
    }

    [Fact]
    public void The_program_reads_on_one_screen() =>
        Assert.InRange(File.ReadAllLines(Path.Combine(Source, "Gatehouse.Server", "Program.cs")).Length, 1, 39);
}
