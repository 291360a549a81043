using Gatehouse.Bench.Load;
using Gatehouse.Bench.Report;

namespace Gatehouse.Bench.Scenarios;

/// <summary>
/// How long <c>me</c> takes while 64 other connections log in without pause, beside how long it takes alone; by turns, medians.
/// </summary>
internal static class MeUnderLogin
{
    public static IEnumerable<Fact> Measure(string engine, int port, Portal portal, Plan plan)
    {
        foreach (var connections in new[] { 1, 16 })
        {
            var (quiet, busy) = (new List<Sample>(), new List<Sample>());
            Run(port, portal.Me, [], connections, plan.Window);
            for (var round = 0; round < plan.Rounds; round++)
            {
                quiet.Add(Run(port, portal.Me, [], connections, plan.Window));
                busy.Add(Run(port, portal.Me, Portal.Logins, connections, plan.Window));
            }

            var (alone, beside) = (Sample.Median(quiet), Sample.Median(busy));
            yield return new Fact(
                Names.UnderLogin(engine, connections), Math.Round(beside.P99Milliseconds / alone.P99Milliseconds, 2), " ×");
            yield return new Fact($"  quiet p99 of me, {connections} connections, {engine}", Math.Round(alone.P99Milliseconds, 3), " ms");
            yield return new Fact($"  its p99 beside the logins, {connections} connections, {engine}", Math.Round(beside.P99Milliseconds, 3), " ms");
        }
    }

    private static Sample Run(
        int port, IReadOnlyList<IClient> watched, IReadOnlyList<IClient> others, int connections, TimeSpan window)
    {
        var sockets = Enumerable.Range(0, connections + others.Count).Select(_ => new HttpConnection(port)).ToList();
        try
        {
            var clients = watched.Take(connections).Concat(others);
            Station[] stations = [.. sockets.Zip(clients, (socket, client) => new Station(socket, client))];
            var took = new Generator(stations).Run(window / 2, window, () => { }, () => { });
            return Sample.Of([.. stations.Take(connections).SelectMany(s => s.Latencies)], took, stations.Sum(s => s.Errors));
        }
        finally
        {
            sockets.ForEach(s => s.Dispose());
        }
    }
}
