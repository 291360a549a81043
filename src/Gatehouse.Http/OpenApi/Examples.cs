using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace Gatehouse.Http.OpenApi;

/// <summary>
/// Requests and answers as a real server exchanged them, written by the test that also compares them; kept in examples.json by route
/// (<c>POST /path</c>), then by <c>request</c> or status, then by error code or <c>answer</c>.
/// </summary>
internal static class Examples
{
    private static readonly Lazy<JsonObject> All = new(Load);

    /// <summary>The examples of a route's status, or null.</summary>
    public static IDictionary<string, IOpenApiExample>? Of(string route, string status) => All.Value[route]?[status] is JsonObject named
        ? named.ToDictionary(
            pair => pair.Key, IOpenApiExample (pair) => new OpenApiExample { Value = pair.Value!.DeepClone() }, StringComparer.Ordinal)
        : null;

    /// <summary>Examples of refusals that have nothing to do with the route; not for surfaces that word codes in lower case.</summary>
    public static IDictionary<string, IOpenApiExample>? OfAny(string route, string status) =>
        Wire.IsPublicOrInternal(route[route.IndexOf('/', StringComparison.Ordinal)..]) ? null : Of("any", status);

    private static JsonObject Load()
    {
        using var stream = typeof(Examples).Assembly.GetManifestResourceStream("OpenApi.examples.json")!;
        return JsonNode.Parse(stream)!.AsObject();
    }
}
