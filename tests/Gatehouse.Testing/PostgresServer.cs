using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Gatehouse.Testing;

/// <summary>
/// A real PostgreSQL in a temporary folder, started when the first test asks for it and removed with the process. Root may not run
/// PostgreSQL, so as root it belongs to the package's own user.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string Owner = "postgres";

    private static readonly Lazy<Task<PostgresServer>> Shared = new(() => Start());

    private readonly string folder;
    private readonly int port;
    private readonly string[] settings;
    private int databases;

    private PostgresServer(string folder, int port, string[] settings)
    {
        this.folder = folder;
        this.port = port;
        this.settings = settings;
    }

    /// <summary>The server that the tests of this process share.</summary>
    public static Task<PostgresServer> Current => Shared.Value;

    /// <summary>Starts a server of its own. Without settings nothing is synced to disk: fast, and nobody pulls the plug on a test.</summary>
    public static async Task<PostgresServer> Start(params string[] settings)
    {
        var home = Directory.CreateTempSubdirectory("gatehouse-postgres-").FullName;
        var server = new PostgresServer(
            home, FreePort.Next(), settings.Length > 0 ? settings : ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => server.Remove();
        if (Environment.IsPrivilegedProcess)
        {
            await Run("chown", Owner, home);
        }

        await Tool("initdb", "-D", server.Data, "-U", Owner, "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8");
        await server.Launch();
        return server;
    }

    /// <summary>The id of the process that all others of this server descend from.</summary>
    public int ProcessId => int.Parse(
        File.ReadLines(Path.Combine(Data, "postmaster.pid")).First(), System.Globalization.CultureInfo.InvariantCulture);

    private string Data => Path.Combine(folder, "data");

    /// <summary>Starts the server on its folder, as after a stop.</summary>
    public Task Launch()
    {
        var options = string.Join(' ', settings.Select(s => $"-c {s}"));
        return Tool(
            "pg_ctl", "-D", Data, "-w", "-t", "60", "-l", Path.Combine(folder, "log"),
            "-o", $"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c max_connections=300 {options}", "start");
    }

    /// <summary>Stops the server; <c>fast</c> ends its connections, <c>immediate</c> is a crash.</summary>
    public Task Stop(string mode = "fast") => Tool("pg_ctl", "-D", Data, "-w", "-m", mode, "stop");

    /// <summary>A connection string to a database of this server.</summary>
    public string ConnectionString(string database) =>
        $"Host=127.0.0.1;Port={port};Username={Owner};Database={database};Include Error Detail=true;Maximum Pool Size=20";

    /// <summary>Makes an empty database, or a copy of another, and returns its connection string.</summary>
    public async Task<string> CreateDatabase(string? template = null)
    {
        var name = $"test_{Interlocked.Increment(ref databases)}";
        await Admin(template is null ? $"CREATE DATABASE {name}" : $"CREATE DATABASE {name} TEMPLATE {template}");
        return ConnectionString(name);
    }

    /// <summary>Runs a statement as the superuser.</summary>
    public async Task Admin(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString(Owner) + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Everything a database holds, as text; what is binary is in hex.</summary>
    public async Task<string> Dump(string connectionString)
    {
        var file = Path.Combine(folder, $"dump_{Interlocked.Increment(ref databases)}.sql");
        await Tool(
            "pg_dump", "-h", "127.0.0.1", "-p", $"{port}", "-U", Owner, "-f", file,
            new NpgsqlConnectionStringBuilder(connectionString).Database!);
        return await File.ReadAllTextAsync(file);
    }

    public async ValueTask DisposeAsync()
    {
        await Stop("immediate");
        Directory.Delete(folder, recursive: true);
    }

    // A process that ends has little time left, and on a busy machine pg_ctl needs more; so a shell stays behind to clean up.
    private void Remove()
    {
        const string script = """
            exec >/dev/null 2>&1 </dev/null
            pid=$(head -n 1 "$0/data/postmaster.pid") && kill -QUIT "$pid" && while kill -0 "$pid"; do sleep 0.1; done
            rm -rf "$0"
            """;
        if (Directory.Exists(folder))
        {
            Process.Start("/bin/sh", ["-c", script, folder]).Dispose();
        }
    }

    private static string Bin { get; } = FindBin();

    private static string FindBin()
    {
        const string versions = "/usr/lib/postgresql";
        var installed = Directory.Exists(versions)
            ? Directory.GetDirectories(versions).Select(v => Path.Combine(v, "bin")).Where(b => File.Exists(Path.Combine(b, "initdb")))
            : [];
        return installed.Order(StringComparer.Ordinal).LastOrDefault() ?? "";
    }

    private static Task Tool(string tool, params string[] arguments)
    {
        var path = Bin.Length > 0 ? Path.Combine(Bin, tool) : tool;
        return Environment.IsPrivilegedProcess ? Run("runuser", ["-u", Owner, "--", path, .. arguments]) : Run(path, arguments);
    }

    private static async Task Run(string program, params string[] arguments)
    {
        // Output goes to a file: the server inherits a pipe, and reading it to its end would wait for the server.
        var log = Path.GetTempFileName();
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec \"$0\" \"$@\" > \"$GATEHOUSE_TEST_LOG\" 2>&1", program, .. arguments])
        {
            WorkingDirectory = "/",
            Environment = { ["GATEHOUSE_TEST_LOG"] = log, ["LC_ALL"] = "C.UTF-8" },
        };
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        await process.WaitForExitAsync();
        var output = await File.ReadAllTextAsync(log);
        File.Delete(log);
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} failed: {output}");
        }
    }
}

/// <summary>Ports of the loopback interface that nobody uses.</summary>
public static class FreePort
{
    public static int Next()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
