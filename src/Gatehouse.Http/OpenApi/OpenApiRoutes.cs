using System.Text;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace Gatehouse.Http.OpenApi;

/// <summary>Serves the OpenAPI document, made from the routes when somebody first asks for it and kept.</summary>
public sealed class OpenApiRoutes([FromKeyedServices(OpenApiRoutes.Version)] IOpenApiDocumentProvider provider)
{
    private const string Version = "v1";

    private volatile Rendered? rendered;

    /// <summary>Registers what makes the document.</summary>
    internal static IServiceCollection Add(IServiceCollection services) => services
        .Configure<JsonOptions>(json => json.SerializerOptions.NumberHandling = JsonNumberHandling.Strict)
        .AddOpenApi(Version, options =>
        {
            options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
            options.AddOperationTransformer<DescribedOperations>();
            options.AddDocumentTransformer<DocumentFrame>();
        })
        .AddSingleton<OpenApiRoutes>();

    /// <summary>Maps <c>GET /openapi/v1.json</c>; pages of any origin may read it.</summary>
    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/openapi/v1.json", Document).RequireCors(Cors.AnyOrigin).ExcludeFromDescription();

    private async Task Document(HttpContext http)
    {
        var document = rendered ??= await Render(http.RequestAborted);
        http.Response.Headers.CacheControl = "no-cache";
        http.Response.Headers.ETag = document.ETag;
        if (http.Request.Headers.IfNoneMatch == document.ETag)
        {
            http.Response.StatusCode = 304;
            return;
        }

        await http.Answer(200, document.Json);
    }

    private async Task<Rendered> Render(CancellationToken ct)
    {
        var document = await provider.GetOpenApiDocumentAsync(ct);
        var json = Encoding.UTF8.GetBytes(await document.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1, ct));
        return new Rendered(json, ContentTag.Of(json));
    }

    private sealed record Rendered(byte[] Json, string ETag);
}
