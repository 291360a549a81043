using System.Text.RegularExpressions;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Server.Tests;

/// <summary>
/// Runs the commands of README.md, in their order and in one shell, against a real server, and compares what they print with what
/// README.md says they print. White space does not count, because answers are wrapped there for reading; what differs at each run
/// (ids, tokens, times, addresses) counts by its kind alone.
/// </summary>
public sealed partial class ReadmeTests
{
    private const string Start = "script/server";
    private const int Limit = 1000; // ms

    private static readonly TimeSpan MailTime = TimeSpan.FromSeconds(20);

    private static readonly (Regex Pattern, string Kind)[] Changing =
    [
        (Uuid(), "<id>"), (Jwt(), "<jwt>"), (RefreshToken(), "<refresh token>"), (Time(), "<time>"), (RequestId(), "<request id>"),
        (Hash(), "<hash>"), (Version(), "<version>"), (ServiceToken(), "<service token>"), (Address(), "<address>"), (Agent(), "<agent>"), (Line(), "─"), (Space(), ""),
    ];

    [Fact]
    public async Task The_commands_of_the_readme_print_what_the_readme_says()
    {
        var steps = Read(await File.ReadAllLinesAsync(Path.Combine(Repository.Root, "README.md"), TestContext.Current.CancellationToken));
        Assert.Equal(Start, steps[0].Command);
        Assert.True(steps.Count > 10, "README.md shows hardly any command.");
        await using var database = await TestDatabase.Empty(Engine.Sqlite);
        await using var server = ServerProcess.Launch(database);
        var ready = await server.Ready();
        Assert.Equal(Normal(steps[0].Output), Normal(Here(ready, server)));

        await using var shell = RunningProgram.Start("bash", ["--noprofile", "--norc"], GatehouseCommand.Environment(database));
        await shell.Send("exec 2>&1; set -o pipefail");
        for (var i = 1; i < steps.Count; i++)
        {
            var (command, expected) = steps[i];
            var (code, output) = await Run(shell, There(command, server, ServiceToken().Match(ready).Value), $"step-{i}");

            // Mail is sent beside the request, so it may need a moment.
            var patience = TimeProvider.System.GetTimestamp();
            for (var n = 0; command.Contains("/dev/inbox", StringComparison.Ordinal)
                && Normal(Here(output, server)) != Normal(expected)
                && TimeProvider.System.GetElapsedTime(patience) < MailTime; n++)
            {
                (code, output) = await Run(shell, There(command, server, ServiceToken().Match(ready).Value), $"step-{i}-{n}");
            }

            Assert.True(code == 0, $"'{command}' failed ({code}): {output}");
            Assert.True(
                Normal(expected) == Normal(Here(output, server)),
                $"README.md is out of date.\n$ {command}\nsays:   {Normal(expected)}\nprints: {Normal(Here(output, server))}\n{output}");
        }
    }

    [Fact]
    public async Task The_readme_names_only_files_that_exist()
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "README.md"), TestContext.Current.CancellationToken);
        var links = Link().Matches(text).Select(match => match.Groups["to"].Value)
            .Where(to => !to.Contains("://", StringComparison.Ordinal) && !to.StartsWith('#'))
            .Select(to => to.Split('#')[0]);

        Assert.DoesNotContain(links, to => !Path.Exists(Path.Combine(Repository.Root, to)));
    }

    private static async Task<(int Code, string Output)> Run(RunningProgram shell, string command, string mark)
    {
        await shell.Send($"echo 'begin {mark}'\n{command}\nprintf '\\nend {mark} %s\\n' $?");
        var end = await shell.Line($"end {mark} ");
        var printed = shell.Printed;
        var from = printed.IndexOf($"begin {mark}\n", StringComparison.Ordinal) + $"begin {mark}\n".Length;
        var to = printed.IndexOf($"\nend {mark} ", StringComparison.Ordinal);
        return (int.Parse(end.Split(' ')[^1], null), to > from ? printed[from..to] : "");
    }

    // A block of console lines: a command after "$ ", continued after a backslash, then what it prints.
    private static List<Step> Read(string[] lines)
    {
        var steps = new List<Step>();
        var isInside = false;
        var continues = false;
        foreach (var line in lines)
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
            {
                isInside = line == "```console";
            }
            else if (isInside && line.StartsWith("$ ", StringComparison.Ordinal))
            {
                steps.Add(new Step(line[2..], ""));
            }
            else if (isInside)
            {
                steps[^1] = continues
                    ? steps[^1] with { Command = $"{steps[^1].Command}\n{line}" }
                    : steps[^1] with { Output = $"{steps[^1].Output}\n{line}" };
            }

            continues = isInside && line.EndsWith('\\') && (continues || line.StartsWith("$ ", StringComparison.Ordinal));
        }

        return steps;
    }

    // The reader's server is on the default ports; this one is on free ports, and its program was built with the tests.
    private static string There(string command, ServerProcess server, string serviceToken) => ServiceToken().Replace(command, serviceToken)
        .Replace("localhost:8080", $"localhost:{server.Port}", StringComparison.Ordinal)
        .Replace("localhost:8081", $"localhost:{server.InternalPort}", StringComparison.Ordinal)
        .Replace("script/gatehouse", $"dotnet '{GatehouseCommand.Program}'", StringComparison.Ordinal);

    private static string Here(string output, ServerProcess server) => output
        .Replace($":{server.Port}", ":8080", StringComparison.Ordinal)
        .Replace($":{server.InternalPort}", ":8081", StringComparison.Ordinal);

    private static string Normal(string output)
    {
        var text = output;
        foreach (var (pattern, kind) in Changing)
        {
            text = pattern.Replace(text, kind);
        }

        return text;
    }

    private sealed record Step(string Command, string Output);

    [GeneratedRegex("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", RegexOptions.ExplicitCapture, Limit)]
    private static partial Regex Uuid();

    // Long texts are cut short with … in README.md.
    [GeneratedRegex("eyJ[A-Za-z0-9_.…-]+", RegexOptions.None, Limit)]
    private static partial Regex Jwt();

    [GeneratedRegex("rt_[A-Za-z0-9_…-]+", RegexOptions.None, Limit)]
    private static partial Regex RefreshToken();

    [GeneratedRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+( UTC|Z)?", RegexOptions.ExplicitCapture, Limit)]
    private static partial Regex Time();

    [GeneratedRegex("req_[A-Za-z0-9_-]+", RegexOptions.None, Limit)]
    private static partial Regex RequestId();

    [GeneratedRegex("dev_[0-9a-f…]+", RegexOptions.None, Limit)]
    private static partial Regex ServiceToken();

    [GeneratedRegex("(?<=\"version\":)[0-9]+", RegexOptions.None, Limit)]
    private static partial Regex Version();

    [GeneratedRegex("(?<=-)[0-9a-f]{16}(?=\")", RegexOptions.None, Limit)]
    private static partial Regex Hash();

    [GeneratedRegex(@"127\.0\.0\.1|::1", RegexOptions.None, Limit)]
    private static partial Regex Address();

    [GeneratedRegex("curl/[0-9.]+", RegexOptions.None, Limit)]
    private static partial Regex Agent();

    [GeneratedRegex("─+", RegexOptions.None, Limit)]
    private static partial Regex Line();

    [GeneratedRegex(@"\s+", RegexOptions.None, Limit)]
    private static partial Regex Space();

    [GeneratedRegex(@"\]\((?<to>[^)\s]+)\)|src=""(?<to>[^""]+)""", RegexOptions.ExplicitCapture, Limit)]
    private static partial Regex Link();
}
