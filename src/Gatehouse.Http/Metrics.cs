using System.Globalization;
using System.Runtime;
using System.Text;
using Gatehouse.Projection;
using Gatehouse.Sessions;
using Gatehouse.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gatehouse.Http;

/// <summary>For whoever measures us: <c>/metrics</c> on the internal listener, in Prometheus' text format (version 0.0.4).</summary>
public sealed class Metrics(Health health, FeedView view, ProjectionRepairer repairer, SessionCache cache)
{
    /// <summary>Maps the route.</summary>
    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/metrics", Answer).ExcludeFromDescription();

    private async Task Answer(HttpContext http)
    {
        var text = new StringBuilder();
        WriteProcess(text);
        Write(text, "gatehouse_sessions_cached", "gauge", "Sessions this process holds in memory.", cache.Count);
        Write(
            text, "gatehouse_feed_age_seconds", "gauge", "Age of this process's view of sessions: time since the last proven read began.",
            view.Age.TotalSeconds);
        await WriteBacklog(text, http.RequestAborted);

        var bytes = Encoding.UTF8.GetBytes(text.ToString());
        http.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        http.Response.ContentLength = bytes.Length;
        await http.Response.Body.WriteAsync(bytes, http.RequestAborted);
    }

    // Without the store the rest is still worth telling, then most of all.
    private async Task WriteBacklog(StringBuilder text, CancellationToken ct)
    {
        var isUp = true;
        try
        {
            await health.AskStore();
            var (count, lag) = await repairer.Backlog(ct);
            Write(text, "gatehouse_projection_backlog", "gauge", "Changes to sessions that are stored and not yet published.", count);
            Write(text, "gatehouse_projection_lag_seconds", "gauge", "Age of the oldest of them.", lag.TotalSeconds);
        }
        catch (DatabaseUnavailableException)
        {
            isUp = false;
        }

        Write(text, "gatehouse_store_up", "gauge", "Whether the store answers.", isUp ? 1 : 0);
    }

    private static void WriteProcess(StringBuilder text)
    {
        Write(text, "process_cpu_seconds_total", "counter", "CPU time used.", Environment.CpuUsage.TotalTime.TotalSeconds);
        Write(text, "process_resident_memory_bytes", "gauge", "Memory held.", Environment.WorkingSet);
        Write(
            text, "dotnet_gc_heap_total_allocated_bytes_total", "counter", "Bytes allocated on the managed heap.",
            GC.GetTotalAllocatedBytes(precise: false));
        Write(
            text, "dotnet_jit_compiled_methods_total", "counter", "Methods compiled; a better second version counts again.",
            JitInfo.GetCompiledMethodCount());
        Head(text, "dotnet_gc_collections_total", "counter", "Garbage collections, by the oldest generation collected.");
        for (var generation = 0; generation <= GC.MaxGeneration; generation++)
        {
            // The runtime counts a collection for every generation it includes; here each is counted once.
            var older = generation == GC.MaxGeneration ? 0 : GC.CollectionCount(generation + 1);
            var count = GC.CollectionCount(generation) - older;
            text.Append(CultureInfo.InvariantCulture, $"dotnet_gc_collections_total{{generation=\"gen{generation}\"}} {count}\n");
        }
    }

    private static void Write(StringBuilder text, string name, string type, string help, double value)
    {
        Head(text, name, type, help);
        text.Append(CultureInfo.InvariantCulture, $"{name} {value}\n");
    }

    private static void Head(StringBuilder text, string name, string type, string help) =>
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");
}
