using System.Diagnostics;
using System.Globalization;
using System.Text;
using Gatehouse.Bench.Load;
using Gatehouse.Bench.Scenarios;
using Gatehouse.Testing;

namespace Gatehouse.Bench.Processes;

/// <summary>
/// The Release server as an operator would run it behind a proxy that ends TLS on the same machine: Production, every check on, real
/// password hashes. Only the throttles are off, since they exist to stop what a benchmark does.
/// </summary>
internal sealed class ServerUnderTest : IDisposable
{
    /// <summary>What a trusted service presents.</summary>
    public const string ServiceToken = "service-token-of-the-benchmark";

    private readonly PinnedProcess process;

    private ServerUnderTest(PinnedProcess process, int port, int internalPort, TimeSpan startTime)
    {
        this.process = process;
        InternalPort = internalPort;
        Port = port;
        StartTime = startTime;
    }

    public int Id => process.Id;

    public int Port { get; }

    public int InternalPort { get; }

    /// <summary>From the start of the process to the first answer that it is ready.</summary>
    public TimeSpan StartTime { get; }

    public static ServerUnderTest Start(Deployment deployment)
    {
        var (port, internalPort) = (FreePort.Next(), FreePort.Next());
        var began = Stopwatch.GetTimestamp();
        var started = PinnedProcess.Start(
            Program(),
            ["serve"],
            ("ASPNETCORE_ENVIRONMENT", "Production"),
            ("GATEHOUSE_PORT", Text(port)),
            ("GATEHOUSE_INTERNAL_PORT", Text(internalPort)),
            ("GATEHOUSE_INTERNAL_TOKEN", ServiceToken),
            ("GATEHOUSE_DATA", deployment.Folder),
            ("GATEHOUSE_POSTGRES", deployment.Postgres ?? ""),
            ("Gatehouse__Issuer", "https://auth.example.com"),
            ("Gatehouse__TrustedProxies__0", "127.0.0.1"),
            ("Gatehouse__Mail__Host", "127.0.0.1"),
            ("Gatehouse__Mail__From", "no-reply@example.com"),
            ("Gatehouse__RateLimits__Enabled", "false"));
        started.ReadLine();
        started.ReadOn();
        using var connection = new HttpConnection(internalPort);
        var answer = connection.Exchange(Requests.Get("/health/ready"));
        return answer.Status == 200
            ? new ServerUnderTest(started, port, internalPort, Stopwatch.GetElapsedTime(began))
            : throw new InvalidOperationException($"The server is not ready: {answer.Status}.{Environment.NewLine}{started}");
    }

    /// <summary>What the server allocated since it started, in bytes.</summary>
    public double AllocatedBytes() => Metric("dotnet_gc_heap_total_allocated_bytes_total ");

    /// <summary>How many methods it has compiled; while that grows, it is not warm.</summary>
    public double CompiledMethods() => Metric("dotnet_jit_compiled_methods_total ");

    public void Dispose() => process.Dispose();

    public override string ToString() => process.ToString();

    private double Metric(string name)
    {
        using var connection = new HttpConnection(InternalPort);
        var text = Encoding.UTF8.GetString(connection.Exchange(Requests.Get("/metrics")).Body);
        var line = text.Split('\n').First(l => l.StartsWith(name, StringComparison.Ordinal));
        return double.Parse(line.AsSpan(name.Length), CultureInfo.InvariantCulture);
    }

    // Beside our own folder, as the build lays them out.
    private static string Program() =>
        Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "Gatehouse.Server", "release", "Gatehouse.Server"));

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);
}
