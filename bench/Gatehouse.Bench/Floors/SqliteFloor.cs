using System.Diagnostics;
using Gatehouse.Bench.Load;
using Gatehouse.Storage;

namespace Gatehouse.Bench.Floors;

/// <summary>
/// SQLite without sharing: one transaction per update, <c>synchronous=FULL</c> in WAL mode, prepared once, on a table that is the
/// product's own, with as many rows. One thread, since SQLite has one writer.
/// </summary>
internal sealed class SqliteFloor : IDisposable
{
    private static readonly Sql Ids = new("SELECT session_id FROM sessions LIMIT 100000");
    private static readonly Sql Update = new(PostgresFloor.Statement);

    private readonly SqliteConnection connection;
    private readonly List<Guid> ids = [];
    private int turn;

    public SqliteFloor(string file)
    {
        connection = new SqliteConnection(file, readOnly: false);
        connection.Script("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
        connection.Run(Ids, [], ids, static (all, row) =>
        {
            all.Add(row.Id(0));
            return true;
        });
        ids.Shuffle();
    }

    public Sample Run(TimeSpan window)
    {
        var latencies = new List<long>();
        var errors = 0;
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < window)
        {
            var began = Stopwatch.GetTimestamp();
            Arg[] args = [("now", TimeProvider.System.Now()), ("id", ids[turn++ % ids.Count])];
            var changed = connection.Run<object?>(Update, Update.Order(args), null, static (_, row) => row.Long(2) < 0);
            latencies.Add(Stopwatch.GetTimestamp() - began);
            errors += changed == 1 ? 0 : 1;
        }

        return Sample.Of([.. latencies], Stopwatch.GetElapsedTime(start), errors);
    }

    public void Dispose() => connection.Dispose();
}
