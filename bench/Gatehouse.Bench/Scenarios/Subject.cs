using System.Globalization;
using System.Text.Json;
using Gatehouse.Bench.Load;
using Gatehouse.Bench.Processes;

namespace Gatehouse.Bench.Scenarios;

/// <summary>Something that can be measured for a while at so many connections.</summary>
internal abstract class Subject(string name)
{
    public string Name => name;

    public abstract Sample Run(int connections, TimeSpan window);

    /// <summary>How many methods the process has compiled so far, where it tells.</summary>
    public virtual double CompiledMethods() => 0;
}

/// <summary>A floor that drives itself in a child process.</summary>
internal sealed class LoopSubject(string name, PinnedProcess process, int? postgres = null) : Subject(name)
{
    public override Sample Run(int connections, TimeSpan window)
    {
        var (own, database, core) = (ProcStat.CpuSeconds(process.Id), Database(), ProcStat.CoreSeconds());
        process.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{connections} {(int)window.TotalMilliseconds}"));
        var sample = JsonSerializer.Deserialize<Sample>(process.ReadLine())!;
        (own, database, core) = (ProcStat.CpuSeconds(process.Id) - own, Database() - database, ProcStat.CoreSeconds() - core);
        var requests = Math.Max(1, sample.Rate * window.TotalSeconds);
        return sample with
        {
            ServerMicroseconds = own * 1e6 / requests,
            DatabaseMicroseconds = database * 1e6 / requests,
            Disturbance = Math.Max(0, core - own - database) / window.TotalSeconds,
            ResidentMiB = ProcStat.ResidentMiB(process.Id),
        };
    }

    private double Database() => postgres is { } id ? ProcStat.TreeCpuSeconds(id) : 0;
}

/// <summary>A server that the generator asks. The clients outlive a round, and with them what they know; their connections do not.</summary>
internal sealed class HttpSubject(
    string name, IReadOnlyList<IClient> clients, int port, int process, ServerUnderTest? server = null, int? postgres = null)
    : Subject(name)
{
    public override Sample Run(int connections, TimeSpan window)
    {
        var sockets = Enumerable.Range(0, connections).Select(_ => new HttpConnection(port)).ToList();
        try
        {
            Station[] stations = [.. sockets.Select((socket, i) => new Station(socket, clients[i]))];
            var (before, after) = (Usage.None, Usage.None);
            var took = new Generator(stations).Run(window / 5, window, () => before = Read(), () => after = Read());
            var sample = Sample.Of([.. stations.SelectMany(s => s.Latencies)], took, stations.Sum(s => s.Errors));
            var requests = Math.Max(1, sample.Rate * took.TotalSeconds);
            return sample with
            {
                ServerMicroseconds = (after.Server - before.Server) * 1e6 / requests,
                DatabaseMicroseconds = (after.Database - before.Database) * 1e6 / requests,
                AllocatedBytes = (after.Allocated - before.Allocated) / requests,
                Disturbance = Math.Max(0, after.Core - before.Core - (after.Server - before.Server) - (after.Database - before.Database))
                    / took.TotalSeconds,
                GeneratorLoad = (after.Own - before.Own) / took.TotalSeconds,
                ResidentMiB = ProcStat.ResidentMiB(process),
            };
        }
        finally
        {
            sockets.ForEach(s => s.Dispose());
        }
    }

    public override double CompiledMethods() => server?.CompiledMethods() ?? 0;

    private Usage Read() => new(
        ProcStat.CpuSeconds(process),
        postgres is { } id ? ProcStat.TreeCpuSeconds(id) : 0,
        server?.AllocatedBytes() ?? 0,
        Environment.CpuUsage.TotalTime.TotalSeconds,
        ProcStat.CoreSeconds());

    private sealed record Usage(double Server, double Database, double Allocated, double Own, double Core)
    {
        public static Usage None { get; } = new(0, 0, 0, 0, 0);
    }
}
