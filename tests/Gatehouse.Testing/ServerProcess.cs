namespace Gatehouse.Testing;

/// <summary>
/// <c>gatehouse serve</c> as a process of its own, on free ports and a test's database: what only a real process shows (signals,
/// exit codes, output, crashes). In Development with cheap password hashes, unless the environment says otherwise.
/// </summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private const string ReadyLine = "Gatehouse is ready: ";

    private readonly RunningProgram program;

    private ServerProcess(RunningProgram program, int port, int internalPort)
    {
        this.program = program;
        Port = port;
        InternalPort = internalPort;
        Url = new Uri($"http://127.0.0.1:{port}");
        InternalUrl = new Uri($"http://127.0.0.1:{internalPort}");
    }

    public int Port { get; }

    public int InternalPort { get; }

    public Uri Url { get; }

    public Uri InternalUrl { get; }

    /// <summary>The issuer in Development.</summary>
    public string Issuer => $"http://localhost:{Port}";

    /// <summary>Everything printed so far.</summary>
    public string Printed => program.Printed;

    /// <summary>Starts a server and waits until it is ready.</summary>
    public static async Task<ServerProcess> Start(TestDatabase database, params (string Name, string? Value)[] environment)
    {
        var server = Launch(database, environment);
        try
        {
            await server.Ready();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a server without waiting for anything.</summary>
    public static ServerProcess Launch(TestDatabase database, params (string Name, string? Value)[] environment)
    {
        var (port, internalPort) = (FreePort.Next(), FreePort.Next());
        var ports = new (string, string?)[] { ("GATEHOUSE_PORT", $"{port}"), ("GATEHOUSE_INTERNAL_PORT", $"{internalPort}") };
        return new ServerProcess(
            RunningProgram.Start(
                "dotnet", [GatehouseCommand.Program, "serve"], [.. GatehouseCommand.Environment(database), .. ports, .. environment]),
            port,
            internalPort);
    }

    /// <summary>Waits for the line that says it is ready, and returns it.</summary>
    public Task<string> Ready() => program.Line(ReadyLine);

    /// <summary>A client with connections of its own; redirects are not followed.</summary>
    public ApiClient Client() => new(Url);

    /// <summary>A client of the internal listener.</summary>
    public ApiClient InternalClient() => new(InternalUrl);

    /// <summary>SIGTERM, without waiting for the end.</summary>
    public Task Terminate() => program.Terminate();

    /// <summary>SIGTERM, then the exit code.</summary>
    public async Task<int> Stop()
    {
        await program.Terminate();
        return await program.Exit();
    }

    /// <summary>SIGKILL.</summary>
    public void Kill() => program.Kill();

    /// <summary>Waits for the end and returns the exit code.</summary>
    public Task<int> Exit() => program.Exit();

    public ValueTask DisposeAsync() => program.DisposeAsync();
}

/// <summary>The command line as a process of its own: <c>gatehouse user list</c>.</summary>
public static class GatehouseCommand
{
    /// <summary>The program that was built with the tests.</summary>
    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "Gatehouse.Server.dll");

    /// <summary>Runs a command on a test's database; what it asks for is read from the input.</summary>
    public static Task<Finished> RunWith(string input, TestDatabase database, params string[] arguments) =>
        RunningProgram.Run("dotnet", [Program, .. arguments], Environment(database), input);

    /// <summary>Runs a command that reads nothing.</summary>
    public static Task<Finished> Run(TestDatabase database, params string[] arguments) => RunWith("", database, arguments);

    /// <summary>Where the database is, Development, cheap password hashes, and nothing of the tester's own settings.</summary>
    public static IEnumerable<(string Name, string? Value)> Environment(TestDatabase database) =>
    [
        .. System.Environment.GetEnvironmentVariables().Keys.Cast<string>()
            .Where(name => name.StartsWith("GATEHOUSE", StringComparison.OrdinalIgnoreCase)
                || name.StartsWith("ASPNETCORE_", StringComparison.OrdinalIgnoreCase)
                || name.StartsWith("DOTNET_ENVIRONMENT", StringComparison.OrdinalIgnoreCase))
            .Select(name => (name, (string?)null)),
        ("ASPNETCORE_ENVIRONMENT", "Development"),
        ("GATEHOUSE_DATA", database.Folder),
        ("GATEHOUSE_POSTGRES", database.Postgres),
        ("DOTNET_TieredPGO", "0"), // lives too briefly to earn back the measuring
        ("Gatehouse__Passwords__MemoryKiB", "64"),
        ("Gatehouse__Passwords__Passes", "1"),
    ];
}
