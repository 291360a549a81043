using System.Globalization;
using System.Runtime;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gatehouse.Http;

/// <summary>For whoever measures us: <c>/metrics</c> on the internal listener, in Prometheus' text format (version 0.0.4).</summary>
public static class Metrics
{
    /// <summary>Maps the route.</summary>
    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/metrics", Answer).ExcludeFromDescription();

    private static Task Answer(HttpContext http)
    {
        var text = new StringBuilder();
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

        var bytes = Encoding.UTF8.GetBytes(text.ToString());
        http.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        http.Response.ContentLength = bytes.Length;
        return http.Response.Body.WriteAsync(bytes, http.RequestAborted).AsTask();
    }

    private static void Write(StringBuilder text, string name, string type, string help, double value)
    {
        Head(text, name, type, help);
        text.Append(CultureInfo.InvariantCulture, $"{name} {value}\n");
    }

    private static void Head(StringBuilder text, string name, string type, string help) =>
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");
}
