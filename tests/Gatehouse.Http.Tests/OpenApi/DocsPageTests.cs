using System.Text.RegularExpressions;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests.OpenApi;

public sealed partial class DocsPageTests
{
    [Fact]
    public async Task The_page_and_all_it_names_come_from_here_under_a_policy_without_inline_code()
    {
        await using var server = await GatehouseServer.Start(Engine.Sqlite);
        using var client = server.Client();
        var page = await client.Get("/docs");
        var names = References().Matches(page.Text).Select(match => match.Groups["url"].Value).Where(url => url != "data:,").ToList();

        Assert.Equal("text/html; charset=utf-8", page.Header("Content-Type"));
        Assert.Equal(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'none'; "
            + "base-uri 'none'; object-src 'none'; frame-ancestors 'none'",
            page.Header("Content-Security-Policy"));
        Assert.DoesNotMatch(@"<style|<script>|style=|\son\w+=", page.Text);
        Assert.Equal(5, names.Count);
        foreach (var name in names)
        {
            Assert.StartsWith("/", name, StringComparison.Ordinal);
            var file = await client.Get(name);
            var wanted = name.EndsWith(".css", StringComparison.Ordinal) ? "text/css" : name.EndsWith(".js", StringComparison.Ordinal) ? "text/javascript" : "application/json";
            Assert.Equal((200, wanted), (file.Code, file.Header("Content-Type")?.Split(';')[0]));
            Assert.Equal("nosniff", file.Header("X-Content-Type-Options"));
            Assert.True(file.Text.Length > 50, $"{name} is empty.");
        }
    }

    [Fact]
    public async Task Files_travel_compressed_and_only_once()
    {
        await using var server = await GatehouseServer.Start(Engine.Sqlite);
        using var client = server.Client();
        var plain = await client.Get("/docs/swagger-ui-bundle.js");
        var small = await client.Get("/docs/swagger-ui-bundle.js", headers: [("Accept-Encoding", "gzip, deflate, br")]);
        var again = await client.Get("/docs/swagger-ui-bundle.js", headers: [("If-None-Match", plain.Header("ETag")!)]);

        Assert.Contains("SwaggerUIBundle", plain.Text, StringComparison.Ordinal);
        Assert.Equal("gzip", small.Header("Content-Encoding"));
        Assert.True(small.ContentHeaders.ContentLength < plain.Text.Length / 2);
        Assert.Equal(304, again.Code);
    }

    [Fact]
    public async Task Every_other_path_keeps_the_strict_policy()
    {
        await using var server = await GatehouseServer.Start(Engine.Sqlite);
        using var client = server.Client();

        foreach (var path in new[] { "/openapi/v1.json", "/docs/docs.js", "/docs/nothing", "/health/live" })
        {
            Assert.Equal(
                "default-src 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'",
                (await client.Get(path)).Header("Content-Security-Policy"));
        }
    }

    [GeneratedRegex("(src|href)=\"(?<url>[^\"]*)\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex References();
}
