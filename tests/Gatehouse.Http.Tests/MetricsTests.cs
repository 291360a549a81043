using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests;

public sealed class MetricsTests
{
    [Fact]
    public async Task Metrics_are_on_the_internal_listener_and_nowhere_else()
    {
        await using var server = await GatehouseServer.Start(Engine.Sqlite);
        using var inside = new ApiClient(server.InternalUrl);
        using var outside = server.Client();

        var metrics = await inside.Get("/metrics");

        Assert.Equal(200, metrics.Code);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", metrics.Header("Content-Type"));
        Assert.Equal(404, (await outside.Get("/metrics")).Code);
    }

    [Fact]
    public async Task The_store_is_up_while_it_answers_and_down_while_it_does_not()
    {
        await using var postgres = await PostgresServer.Start("fsync=off");
        await using var server = await GatehouseServer.Start(Engine.Sqlite, ("GATEHOUSE_POSTGRES", await postgres.CreateDatabase()));
        using var inside = new ApiClient(server.InternalUrl);

        Assert.Contains("gatehouse_store_up 1\n", (await inside.Get("/metrics")).Text, StringComparison.Ordinal);
        await postgres.Stop("immediate");
        Assert.Contains("gatehouse_store_up 0\n", (await inside.Get("/metrics")).Text, StringComparison.Ordinal);
        await postgres.Launch();
    }

    [Fact]
    public async Task Every_metric_has_a_help_a_type_and_a_number()
    {
        await using var server = await GatehouseServer.Start(Engine.Sqlite);
        using var inside = new ApiClient(server.InternalUrl);

        var lines = (await inside.Get("/metrics")).Text.TrimEnd('\n').Split('\n');

        foreach (var name in new[]
        {
            "process_cpu_seconds_total", "process_resident_memory_bytes", "dotnet_gc_heap_total_allocated_bytes_total",
            "dotnet_gc_collections_total", "dotnet_jit_compiled_methods_total", "gatehouse_sessions_cached", "gatehouse_feed_age_seconds",
            "gatehouse_projection_backlog", "gatehouse_projection_lag_seconds", "gatehouse_store_up",
        })
        {
            Assert.Contains(lines, l => l.StartsWith($"# HELP {name} ", StringComparison.Ordinal));
            Assert.Contains(lines, l => l.StartsWith($"# TYPE {name} ", StringComparison.Ordinal));
            var values = lines.Where(l => l.StartsWith(name, StringComparison.Ordinal)).Select(l => l[(l.LastIndexOf(' ') + 1)..]);
            Assert.All(values, v => Assert.True(double.Parse(v, System.Globalization.CultureInfo.InvariantCulture) >= 0));
        }
    }
}
