using System.CommandLine;
using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gatehouse.Keys;
using Gatehouse.Storage;
using Spectre.Console;

namespace Gatehouse.Server.Commands;

/// <summary>What the commands share: configuration, the ways to say something, and how failures end the process.</summary>
internal sealed class CommandLine(IConfiguration configuration, bool isDevelopment, IAnsiConsole console, TextWriter output)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public IConfiguration Configuration => configuration;

    public bool IsDevelopment => isDevelopment;

    /// <summary>Asks any command for JSON in place of tables.</summary>
    public Option<bool> Json { get; } = new("--json") { Description = "Print JSON in place of tables.", Recursive = true };

    public static CommandLine FromEnvironment()
    {
        var configuration = new ConfigurationBuilder().AddEnvironmentVariables().Build();
        var environment = configuration["ASPNETCORE_ENVIRONMENT"] ?? configuration["DOTNET_ENVIRONMENT"];
        if (Console.IsOutputRedirected)
        {
            // Nobody's window is this wide, but a file is: rows stay on one line each.
            AnsiConsole.Console.Profile.Width = 250;
        }

        return new(configuration, environment == Environments.Development, AnsiConsole.Console, Console.Out);
    }

    /// <summary>One plain line.</summary>
    public void Say(string text) => output.WriteLine(text);

    /// <summary>A list: a table for people, an array of objects for programs.</summary>
    public void Show<T>(ParseResult parsed, IReadOnlyList<T> rows, params IReadOnlyList<(string Name, Func<T, string?> Value)> columns)
    {
        if (parsed.GetValue(Json))
        {
            var array = new JsonArray([.. rows.Select(row => (JsonNode)Object(columns.Select(c => (c.Name, c.Value(row)))))]);
            Say(array.ToJsonString(Indented));
            return;
        }

        var table = new Table().Border(TableBorder.Simple);
        foreach (var (name, _) in columns)
        {
            table.AddColumn(new TableColumn(name).NoWrap());
        }

        foreach (var row in rows)
        {
            table.AddRow([.. columns.Select(c => Markup.Escape(c.Value(row) ?? ""))]);
        }

        console.Write(table);
    }

    /// <summary>One thing: a table of two columns for people, an object for programs.</summary>
    public void Show(ParseResult parsed, IReadOnlyList<(string Name, string? Value)> fields)
    {
        if (parsed.GetValue(Json))
        {
            Done(parsed, "", fields);
            return;
        }

        Show(parsed, fields, ("field", field => field.Name), ("value", field => field.Value));
    }

    /// <summary>One row of a list without end: a line for people, an object on a line for programs.</summary>
    public void ShowLine<T>(ParseResult parsed, T row, params IReadOnlyList<(string Name, Func<T, string?> Value)> columns) => Say(
        parsed.GetValue(Json)
            ? Object(columns.Select(c => (c.Name, c.Value(row)))).ToJsonString()
            : string.Join("  ", columns.Select(c => c.Value(row)).Where(value => !string.IsNullOrEmpty(value))));

    /// <summary>Work that may take a while; whoever watches sees that it goes on.</summary>
    public Task<T> Working<T>(ParseResult parsed, string what, Func<Task<T>> work) =>
        parsed.GetValue(Json) || !console.Profile.Capabilities.Interactive
            ? work()
            : console.Status().StartAsync(Markup.Escape(what), _ => work());

    /// <summary>What a change did: a sentence for people, an object for programs.</summary>
    public void Done(ParseResult parsed, string sentence, params IReadOnlyList<(string Name, string? Value)> result) => Say(
        parsed.GetValue(Json)
            ? Object(result).ToJsonString(Indented)
            : sentence);

    /// <summary>Runs long work and shows on a terminal how far it has come.</summary>
    public Task<int> WithProgress(ParseResult parsed, string what, Func<Action<int>, Task<int>> work) =>
        parsed.GetValue(Json) || !console.Profile.Capabilities.Interactive
            ? work(_ => { })
            : console.Status().StartAsync($"0 {what}", status => work(done => status.Status($"{done} {what}")));

    /// <summary>Runs a command on the store, without a server.</summary>
    public Task<int> WithStore(Func<IServiceProvider, Task<int>> command, CancellationToken ct) => Run(async () =>
    {
        var options = ServerOptions.Read(configuration, isDevelopment, forServer: false);
        await using var foundation = await Composition.Open(options, TimeProvider.System, ct);
        await using var services = new ServiceCollection()
            .AddLogging()
            .AddGatehouse(options, foundation, TimeProvider.System)
            .AddSingleton(foundation)
            .BuildServiceProvider();
        return await command(services);
    });

    /// <summary>Runs a command; a failure that the operator can mend is one line on standard error and exit code 1.</summary>
    public static async Task<int> Run(Func<Task<int>> command)
    {
        try
        {
            return await command();
        }
        catch (DatabaseUnavailableException e)
        {
            return Fail(e.InnerException is { } cause ? $"{e.Message} {cause.Message}" : e.Message);
        }
        catch (Exception e) when (e is ConfigurationException or DbException or KeyException or IOException
            or UnauthorizedAccessException or InvalidOperationException)
        {
            return Fail(e.Message);
        }
    }

    private static JsonObject Object(IEnumerable<(string Name, string? Value)> members) =>
        new(members.Select(member => KeyValuePair.Create<string, JsonNode?>(member.Name, member.Value)));

    /// <summary>Says on standard error what went wrong.</summary>
    public static int Fail(string message)
    {
        Console.Error.WriteLine($"gatehouse: {message}");
        return 1;
    }
}
