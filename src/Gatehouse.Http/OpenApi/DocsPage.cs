using System.IO.Compression;
using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Swashbuckle.AspNetCore.SwaggerUI;

namespace Gatehouse.Http.OpenApi;

/// <summary>
/// The API as a page: <c>GET /docs</c>. Swagger UI comes out of its package and everything from this origin, so the page works without
/// a network and under a policy that allows no inline script.
/// </summary>
internal static class DocsPage
{
    // Pictures are data: URLs in Swagger's own stylesheet. Styles that its scripts set on elements are no inline styles to a browser.
    private const string Csp =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'none'; "
        + "base-uri 'none'; object-src 'none'; frame-ancestors 'none'";

    private const string Swagger = "Swashbuckle.AspNetCore.SwaggerUI.node_modules.swagger_ui_dist.";

    private static readonly Assembly Own = typeof(DocsPage).Assembly;
    private static readonly Assembly Package = typeof(SwaggerUIOptions).Assembly;

    /// <summary>Maps the page and the four files it names.</summary>
    public static void MapDocs(this IEndpointRouteBuilder routes)
    {
        Map(routes, "/docs", "text/html; charset=utf-8", Own, "Docs.index.html", Csp);
        Map(routes, "/docs/docs.css", "text/css; charset=utf-8", Own, "Docs.docs.css");
        Map(routes, "/docs/docs.js", "text/javascript; charset=utf-8", Own, "Docs.docs.js");
        Map(routes, "/docs/swagger-ui.css", "text/css; charset=utf-8", Package, Swagger + "swagger-ui.css");
        Map(routes, "/docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8", Package, Swagger + "swagger-ui-bundle.js");
    }

    private static void Map(IEndpointRouteBuilder routes, string path, string type, Assembly from, string resource, string? csp = null)
    {
        var file = new Lazy<PageFile>(() => PageFile.Load(from, resource));
        routes.MapGet(path, http => file.Value.Answer(http, type, csp)).ExcludeFromDescription();
    }
}

/// <summary>A file of the page, compressed once.</summary>
internal sealed class PageFile
{
    private readonly byte[] compressed;
    private readonly string tag;

    private PageFile(byte[] compressed)
    {
        this.compressed = compressed;
        tag = ContentTag.Of(compressed);
    }

    public static PageFile Load(Assembly assembly, string resource)
    {
        using var stream = assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"{assembly.GetName().Name} has no resource {resource}.");
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        var bytes = memory.ToArray();

        // The package holds its files compressed already; a file of ours is not.
        return new PageFile(bytes is [0x1F, 0x8B, ..] ? bytes : Compress(bytes));
    }

    public Task Answer(HttpContext http, string type, string? csp)
    {
        var headers = http.Response.Headers;
        headers.CacheControl = "no-cache";
        headers.ETag = tag;
        headers.Vary = "Accept-Encoding";
        if (csp is not null)
        {
            headers.ContentSecurityPolicy = csp;
        }

        if (http.Request.Headers.IfNoneMatch == tag)
        {
            http.Response.StatusCode = 304;
            return Task.CompletedTask;
        }

        http.Response.ContentType = type;
        if (!http.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase))
        {
            return Expand(http);
        }

        headers.ContentEncoding = "gzip";
        http.Response.ContentLength = compressed.Length;
        return http.Response.Body.WriteAsync(compressed, http.RequestAborted).AsTask();
    }

    private async Task Expand(HttpContext http)
    {
        await using var gzip = new GZipStream(new MemoryStream(compressed), CompressionMode.Decompress);
        await gzip.CopyToAsync(http.Response.Body, http.RequestAborted);
    }

    private static byte[] Compress(byte[] bytes)
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionLevel.Optimal))
        {
            gzip.Write(bytes);
        }

        return memory.ToArray();
    }
}
