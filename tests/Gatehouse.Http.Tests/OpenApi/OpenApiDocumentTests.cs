using System.Diagnostics;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing;
using Xunit;

namespace Gatehouse.Http.Tests.OpenApi;

/// <summary>The document says what the server does, no more and no less.</summary>
public sealed class OpenApiDocumentTests(ApiTour tour) : IClassFixture<ApiTour>
{
    private const string WriteVariable = "GATEHOUSE_WRITE_EXAMPLES";

    // Refusals that come from before any route, or from a twin request at the same moment.
    private static readonly string[] Generic = ["403", "409", "413", "415", "500", "503"];

    private static readonly JsonSerializerOptions Indented =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly CancellationToken ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_examples_are_what_the_server_answers()
    {
        var file = Path.Combine(Repository(), "src", "Gatehouse.Http", "OpenApi", "examples.json");
        var real = tour.Seen.Examples.ToJsonString(Indented) + "\n";
        if (Environment.GetEnvironmentVariable(WriteVariable) == "1")
        {
            await File.WriteAllTextAsync(file, real, ct);
        }

        var (kept, now) = ((await File.ReadAllTextAsync(file, ct)).Split('\n'), real.Split('\n'));
        var line = kept.Zip(now).TakeWhile(pair => pair.First == pair.Second).Count();
        Assert.True(
            kept.SequenceEqual(now),
            $"""
            The server no longer answers as {file} says; they part at line {line + 1}:
              committed: {kept.ElementAtOrDefault(line)?.Trim()}
              real:      {now.ElementAtOrDefault(line)?.Trim()}
            If the change is meant, run the test again with {WriteVariable}=1 and commit the file.
            """);
    }

    [Fact]
    public void The_routes_are_these() => Assert.Equal(
        """
        DELETE /api/v1/auth/sessions/{id}
        GET /api/v1/auth/me
        GET /api/v1/auth/sessions
        GET /api/v1/ui/bootstrap
        GET /api/v1/users/me/preferences
        GET /health/live
        GET /health/ready
        GET /oauth/jwks
        GET /v2/auth/me
        PATCH /api/v1/users/me/preferences
        POST /api/v1/auth/login
        POST /api/v1/auth/logout
        POST /api/v1/auth/logout-all
        POST /api/v1/auth/refresh
        POST /api/v1/auth/revoke
        POST /api/v1/public/auth/confirm-email-code
        POST /api/v1/public/auth/send-email-code
        POST /v2/auth/login
        POST /v2/auth/logout
        POST /v2/auth/refresh
        """,
        string.Join('\n', Operations().Select(operation => operation.Route)));

    [Fact]
    public void Every_route_of_the_server_is_described_or_is_a_page()
    {
        // The internal listener has the health routes too, so they are there twice.
        var endpoints = tour.Server.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Select(e => (Route: RouteOf(e), IsPage: e.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>() is not null))
            .Distinct()
            .ToList();

        Assert.Equal(
            endpoints.Where(e => !e.IsPage).Select(e => e.Route).Order(StringComparer.Ordinal),
            Operations().Select(operation => operation.Route));
        Assert.Equal(
            [
                "DELETE /api/v1/internal/user-blocks/{target}", "GET /api/v1/internal/audit", "GET /api/v1/internal/config/session-limit",
                "GET /api/v1/internal/sessions/{id}", "GET /api/v1/internal/users/{id}/sessions", "GET /dev/inbox", "GET /dev/inbox.css", "GET /docs", "GET /docs/docs.css", "GET /docs/docs.js", "GET /docs/swagger-ui-bundle.js",
                "GET /docs/swagger-ui.css", "GET /metrics", "GET /openapi/v1.json",
                "POST /api/v1/internal/sessions/{id}/revoke", "POST /api/v1/internal/user-blocks",
                "POST /api/v1/internal/users/{id}/sessions/revoke-all", "PUT /api/v1/internal/config/session-limit",
            ],
            endpoints.Where(e => e.IsPage).Select(e => e.Route).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_documented_status_was_seen_and_every_seen_one_is_documented()
    {
        var documented = Answers().Select(a => $"{a.Route} {a.Status}").ToHashSet(StringComparer.Ordinal);
        var seen = tour.Seen.Seen.Select(s => $"{s.Route} {s.Status}").ToHashSet(StringComparer.Ordinal);

        Assert.DoesNotContain(documented.Except(seen), answer => !Generic.Contains(answer[^3..]));
        Assert.Empty(seen.Except(documented));
        Assert.Contains("POST /api/v1/auth/login 409", seen);
    }

    [Fact]
    public void Every_documented_header_was_sent_and_every_sent_one_is_documented()
    {
        var names = tour.Document["components"]!["headers"]!.AsObject().Select(header => header.Key).ToList();
        var sent = tour.Seen.Seen
            .SelectMany(s => names.Where(name => s.Answer.Header(name) is not null).Select(name => $"{s.Route} {s.Status} {name}"))
            .ToHashSet(StringComparer.Ordinal);
        var documented = Answers()
            .SelectMany(a => Headers(a.Answer).Select(name => $"{a.Route} {a.Status} {name}"))
            .ToHashSet(StringComparer.Ordinal);
        var answered = tour.Seen.Seen.Select(s => $"{s.Route} {s.Status} ").ToHashSet(StringComparer.Ordinal);

        Assert.DoesNotContain(documented.Except(sent), header => answered.Any(a => header.StartsWith(a, StringComparison.Ordinal)));
        Assert.DoesNotContain(sent.Except(documented), header => !header.EndsWith("Cache-Control", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_example_fits_its_schema()
    {
        var checker = new SchemaCheck(tour.Document);
        var count = 0;
        foreach (var (route, status, media) in Operations().SelectMany(Media))
        {
            foreach (var (name, example) in media["examples"]?.AsObject() ?? [])
            {
                Assert.Empty(checker.Problems(media["schema"]!, example!["value"]).Select(problem => $"{route} {status} {name}: {problem}"));
                count++;
            }
        }

        Assert.True(count > 80, $"Only {count} examples are in the document: are the committed ones embedded?");
    }

    [Fact]
    public async Task Another_library_finds_the_document_valid()
    {
        var folder = Path.Combine(Repository(), "tests", "node");
        Assert.SkipUnless(Directory.Exists(Path.Combine(folder, "node_modules", "@seriousme")), "Run npm ci in tests/node.");
        using var node = Process.Start(new ProcessStartInfo("node", ["validate-openapi.mjs"])
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        await node.StandardInput.WriteAsync(tour.Document.ToJsonString().AsMemory(), ct);
        node.StandardInput.Close();
        var problems = await node.StandardOutput.ReadToEndAsync(ct);
        await node.WaitForExitAsync(ct);

        Assert.Equal(("", 0), (problems, node.ExitCode));
    }

    [Fact]
    public async Task Any_page_may_read_it_it_names_no_host_and_is_sent_once()
    {
        using var client = tour.Server.Client();
        var answer = await client.Get("/openapi/v1.json", headers: [("Origin", "https://tools.example"), ("Host", "evil.example")]);
        var again = await client.Get("/openapi/v1.json", headers: [("If-None-Match", answer.Header("ETag")!)]);

        Assert.Equal("*", answer.Header("Access-Control-Allow-Origin"));
        Assert.DoesNotContain("evil.example", answer.Text, StringComparison.Ordinal);
        Assert.Equal("/", (string?)answer.Json.GetProperty("servers")[0].GetProperty("url").GetString());
        Assert.Equal((304, ""), (again.Code, again.Text));
    }

    private IEnumerable<(string Route, JsonObject Operation)> Operations() =>
        from path in tour.Document["paths"]!.AsObject()
        from operation in path.Value!.AsObject()
        let route = $"{operation.Key.ToUpperInvariant()} {path.Key}"
        orderby route
        select (route, operation.Value!.AsObject());

    private IEnumerable<(string Route, string Status, JsonObject Answer)> Answers() =>
        from operation in Operations()
        from answer in operation.Operation["responses"]!.AsObject()
        select (operation.Route, answer.Key, SchemaCheck.Resolve(tour.Document, answer.Value!));

    private static IEnumerable<string> Headers(JsonObject answer) => (answer["headers"]?.AsObject() ?? []).Select(header => header.Key);

    private IEnumerable<(string Route, string Part, JsonObject Media)> Media((string Route, JsonObject Operation) operation)
    {
        if (operation.Operation["requestBody"]?["content"]?["application/json"] is JsonObject body)
        {
            yield return (operation.Route, "request", body);
        }

        foreach (var (route, status, answer) in Answers().Where(a => a.Route == operation.Route))
        {
            if (answer["content"]?["application/json"] is JsonObject media)
            {
                yield return (route, status, media);
            }
        }
    }

    private static string RouteOf(RouteEndpoint endpoint) =>
        $"{endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods.Single()} {endpoint.RoutePattern.RawText}";

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Gatehouse.slnx")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("Gatehouse.slnx is in no parent folder.");
        }

        return folder.FullName;
    }
}
