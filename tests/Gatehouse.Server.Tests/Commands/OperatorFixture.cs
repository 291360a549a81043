using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Gatehouse.Server.Commands;
using Gatehouse.Testing;
using Microsoft.Extensions.Configuration;
using Spectre.Console;
using Xunit;

namespace Gatehouse.Server.Tests.Commands;

/// <summary>An operator at the terminal beside a running server.</summary>
internal sealed class OperatorFixture(GatehouseServer server) : IAsyncDisposable
{
    public GatehouseServer Server => server;

    public static async Task<OperatorFixture> Start(Engine engine) => new(await GatehouseServer.Start(engine));

    /// <summary>Runs a command in this process.</summary>
    public async Task<(int Code, string Output)> Run(params string[] args)
    {
        await using var output = new StringWriter();
        var code = await Invoke(output, TestContext.Current.CancellationToken, args);
        return (code, output.ToString());
    }

    /// <summary>Runs a command with <c>--json</c>.</summary>
    public async Task<JsonElement> Json(params string[] args)
    {
        var (code, output) = await Run([.. args, "--json"]);
        Assert.Equal(0, code);
        return JsonDocument.Parse(output).RootElement;
    }

    /// <summary>Runs a command in this process until it ends or is cancelled.</summary>
    public Task<int> Invoke(TextWriter output, CancellationToken ct, params string[] args)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = 400;
        var line = new CommandLine(
            new ConfigurationBuilder().AddInMemoryCollection(Settings().Select(s => KeyValuePair.Create(s.Name, s.Value))).Build(),
            isDevelopment: true,
            console,
            output);
        var root = new RootCommand { KeyCommand.Create(line), TokenCommand.Create(line), AuditCommand.Create(line), ProjectionCommand.Create(line), line.Json };
        return root.Parse(args).InvokeAsync(new InvocationConfiguration { Output = output, Error = output }, ct);
    }

    /// <summary>Runs the built program, as a terminal would.</summary>
    public async Task<(int Code, string Output, string Errors)> Process(string? input, params string[] args)
    {
        var ct = TestContext.Current.CancellationToken;
        var start = new ProcessStartInfo("dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "Gatehouse.Server.dll"), .. args])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_ENVIRONMENT"] = "Development";
        foreach (var (name, value) in Settings())
        {
            start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        using var process = System.Diagnostics.Process.Start(start)!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync(ct);
        var output = await process.StandardOutput.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        return (process.ExitCode, output, await errors);
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private IEnumerable<(string Name, string? Value)> Settings() =>
    [
        ("GATEHOUSE_DATA", server.Database.Folder),
        ("GATEHOUSE_POSTGRES", server.Database.Postgres),
        ("Gatehouse:Issuer", server.Issuer),
    ];
}
