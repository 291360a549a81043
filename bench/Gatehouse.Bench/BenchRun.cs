using System.Diagnostics;
using System.Globalization;
using Gatehouse.Bench.Load;
using Gatehouse.Bench.Processes;
using Gatehouse.Bench.Report;
using Gatehouse.Bench.Scenarios;
using Gatehouse.Testing;
using Npgsql;

namespace Gatehouse.Bench;

/// <summary>What to run, and what to compare it with.</summary>
internal sealed record BenchOptions(IReadOnlyList<string> Words, IReadOnlyList<Engine> Engines, Plan Plan, bool Large, Results? Committed)
{
    /// <summary>What can be asked for by word.</summary>
    public static readonly string[] Names = ["login", "refresh", "me", "sessions", "bootstrap", "bootstrap-304", "me-under-login", "start", "revoke"];

    /// <summary>Every scenario, or those that a word names, or holds a part of.</summary>
    public bool Wants(string scenario) => Words.Count == 0 || Words.Any(
        w => Names.Contains(w, StringComparer.Ordinal) ? w == scenario : scenario.Contains(w, StringComparison.Ordinal));
}

/// <summary>
/// A whole run: (1) a database cluster on core 0, (2) for each engine a deployment, its server and its floors, (3) every scenario at
/// every number of connections, beside its floor, (4) what no rate tells.
/// </summary>
internal sealed class BenchRun(BenchOptions options, Action<string> say) : IAsyncDisposable
{
    private static readonly int[] Connections = [1, 16, 64];

    // The defaults of PostgreSQL wherever they decide what is durable. Checkpoints are put off, or they would fall into some rounds
    // and not into others.
    private static readonly string[] ClusterSettings =
        ["fsync=on", "shared_buffers=512MB", "max_wal_size=8GB", "checkpoint_timeout=1h"];

    private readonly List<Row> rows = [];
    private readonly List<Fact> facts = [];
    private readonly List<IDisposable> started = [];
    private PostgresServer? cluster;

    public IReadOnlyList<string> Regressions { get; private set; } = [];

    public async Task<Results> Run()
    {
        cluster = await PostgresServer.Start(ClusterSettings);
        PinnedProcess.Move(cluster.ProcessId);
        if (options.Large)
        {
            await RunLarge();
        }
        else
        {
            foreach (var engine in options.Engines)
                await Run(engine);
        }

        var settings = string.Create(
            CultureInfo.InvariantCulture,
            $"Throttles off. Argon2id: 19 MiB, 2 passes. PostgreSQL: {string.Join(", ", ClusterSettings)}. {Deployment.Sessions:#,0} sessions. Rounds: {options.Plan.Rounds} of {options.Plan.Window.TotalSeconds:0.#} s.");
        return new Results(Machine.Read(await PostgresVersion()), settings, rows, facts);
    }

    public async ValueTask DisposeAsync()
    {
        StopAll();
        if (cluster is not null)
            await cluster.DisposeAsync();
    }

    private static string NameOf(Engine engine) => engine == Engine.Sqlite ? "SQLite" : "PostgreSQL";

    private async Task Run(Engine engine)
    {
        var name = NameOf(engine);
        say($"{name}: filling the database …");
        using var deployment = await Deployment.Create(engine, cluster);
        using var beside = await Deployment.Create(engine, cluster);
        var server = Keep(ServerUnderTest.Start(deployment));
        Thread.Sleep(TimeSpan.FromSeconds(3));
        facts.Add(new Fact(Names.IdleMemory(name), Math.Round(ProcStat.ResidentMiB(server.Id), 1), " MiB"));

        var portal = Portal.Enter(server);
        var database = engine == Engine.Postgres ? cluster!.ProcessId : default(int?);
        var kestrel = BareKestrel(portal);
        var (argon, update) = (Argon2id(), engine == Engine.Sqlite ? SqliteUpdate(beside) : PostgresUpdate(beside));
        Measure(name, argon, Http("login", Portal.Logins), options.Plan.ForSlow);
        Measure(name, update, Http("refresh", Portal.Refreshing(deployment.RefreshTokens)), options.Plan);
        Measure(name, kestrel, Http("me", portal.Me), options.Plan);
        Measure(name, kestrel, Http("sessions", portal.SessionList), options.Plan);
        Measure(name, kestrel, Http("bootstrap", portal.Bootstrap), options.Plan);
        Measure(name, kestrel, Http("bootstrap-304", portal.BootstrapUnchanged), options.Plan);
        if (options.Wants("me-under-login"))
            facts.AddRange(MeUnderLogin.Measure(name, server.Port, portal, options.Plan));
        var refreshes = rows.Where(r => r.Engine == name && r.Scenario == "refresh").ToList();
        if (refreshes.Count > 0)
            facts.Add(new Fact(Names.BusyMemory(name), refreshes.Max(r => r.ResidentMiB), " MiB"));

        if (options.Wants("revoke"))
            await MeasureRevocation(name, deployment, server);
        StopAll();
        if (options.Wants("start"))
            MeasureStart(name, deployment);

        HttpSubject Http(string scenario, IReadOnlyList<IClient> clients) =>
            new(scenario, clients, server.Port, server.Id, server, database);
    }

    private void Measure(string engine, Subject floor, Subject scenario, Plan plan)
    {
        if (!options.Wants(scenario.Name))
            return;
        foreach (var connections in Connections)
        {
            var row = Row.Of(engine, scenario.Name, connections, floor.Name, Rounds.Measure(floor, scenario, connections, plan));
            if (options.Committed is { } committed && Regression.Of(row, committed) is { Count: > 0 })
            {
                // Noise comes and goes; a regression stays.
                say("  worse than the committed result, measuring once more …");
                var again = Row.Of(engine, scenario.Name, connections, floor.Name, Rounds.Measure(floor, scenario, connections, plan));
                row = Regression.Of(again, committed).Count == 0 || again.Ratio > row.Ratio ? again : row;
                Regressions = [.. Regressions, .. Regression.Of(row, committed)];
            }

            rows.Add(row);
            say(string.Create(
                CultureInfo.InvariantCulture,
                $"{engine}: {row.Scenario} at {connections}: {row.Rate:#,0}/s, p99 {row.P99:0.00} ms, {row.Ratio:0.00} × {row.Floor} ({row.FloorRate:#,0}/s)"));
        }
    }

    private async Task MeasureRevocation(string engine, Deployment deployment, ServerUnderTest server)
    {
        facts.Add(await Revocation.All(engine, deployment, server));
        if (deployment.Engine == Engine.Postgres)
        {
            say($"{engine}: signing in for the revokes …");
            facts.AddRange(await Revocation.Spread(engine, server, Keep(ServerUnderTest.Start(deployment))));
        }
    }

    private void MeasureStart(string engine, Deployment deployment)
    {
        var times = new List<double>();
        for (var i = 0; i < 5; i++)
        {
            using var server = ServerUnderTest.Start(deployment);
            times.Add(server.StartTime.TotalSeconds);
        }

        facts.Add(new Fact(Names.Start(engine), Math.Round(Sample.Median(times, t => t), 3), " s"));
    }

    /// <summary>The same refresh on ten million sessions, with ten thousand in place of a floor.</summary>
    private async Task RunLarge()
    {
        const int many = 10_000_000;
        say("PostgreSQL: filling ten million sessions …");
        using var small = await Deployment.Create(Engine.Postgres, cluster);
        using var large = await Deployment.Create(Engine.Postgres, cluster, many);
        Measure("PostgreSQL", Refresh("refresh at 10,000", small), Refresh(Names.Large, large), options.Plan);
        StopAll();

        HttpSubject Refresh(string name, Deployment deployment)
        {
            var server = Keep(ServerUnderTest.Start(deployment));
            return new(name, Portal.Refreshing(deployment.RefreshTokens), server.Port, server.Id, server, cluster!.ProcessId);
        }
    }

    private HttpSubject BareKestrel(Portal portal)
    {
        var port = FreePort.Next();
        var began = Stopwatch.GetTimestamp();
        var process = Floor("kestrel", Text(port), Text(portal.MeBytes));
        process.ReadLine();
        if (facts.TrueForAll(f => f.Name != "start of bare Kestrel, for scale"))
            facts.Add(new Fact("start of bare Kestrel, for scale", Math.Round(Stopwatch.GetElapsedTime(began).TotalSeconds, 3), " s"));
        return new HttpSubject("bare Kestrel", portal.Me, port, process.Id);
    }

    private LoopSubject Argon2id() => new("raw Argon2id", Floor("argon2id"));

    private LoopSubject SqliteUpdate(Deployment beside) => new("one UPDATE per transaction", Floor("sqlite", beside.File));

    private LoopSubject PostgresUpdate(Deployment beside) =>
        new("prepared UPDATE … RETURNING", Floor("postgres", beside.Postgres!), cluster!.ProcessId);

    private PinnedProcess Floor(params string[] arguments) => Keep(PinnedProcess.Start(Environment.ProcessPath!, ["floor", .. arguments]));

    private T Keep<T>(T process)
        where T : IDisposable
    {
        started.Add(process);
        return process;
    }

    private void StopAll()
    {
        started.ForEach(p => p.Dispose());
        started.Clear();
    }

    private async Task<string> PostgresVersion()
    {
        await using var connection = new NpgsqlConnection(cluster!.ConnectionString("postgres"));
        await connection.OpenAsync();
        return connection.PostgreSqlVersion.ToString();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
