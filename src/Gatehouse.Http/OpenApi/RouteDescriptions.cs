using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gatehouse.Http.OpenApi;

/// <summary>Describes routes where they are mapped (decision 0005).</summary>
internal static class RouteDescriptions
{
    // The framework lists an endpoint only if it can look at a method. Ours are plain delegates, which is what makes them fast,
    // and everything a method could tell is in the description; so any method will do.
    private static readonly MethodInfo Method = ((RequestDelegate)Described).Method;

    /// <summary>Begins the description: a summary of a few words, and what a caller has to know beyond it.</summary>
    public static RouteDescription Describe(this IEndpointConventionBuilder route, string summary, string details)
    {
        var description = new RouteDescription(route, summary, details);
        route.WithMetadata(description, Method);
        return description;
    }

    /// <summary>The routes of one surface, which the document shows together.</summary>
    public static RouteGroupBuilder MapSurface(this IEndpointRouteBuilder routes, string tag, string prefix = "") =>
        routes.MapGroup(prefix).WithTags(tag);

    private static Task Described(HttpContext http) => Task.CompletedTask;
}

/// <summary>The tags of the document.</summary>
internal static class Tag
{
    public const string Portal = "Portal";
    public const string V2 = "V2";
    public const string Public = "Public";
    public const string OAuth = "OAuth";
    public const string Operations = "Operations";
}

/// <summary>Answer headers that the document describes once and refers to.</summary>
internal static class Shown
{
    public const string CacheControl = "Cache-Control";
    public const string ETag = "ETag";
    public const string Replayed = "Idempotency-Replayed";
    public const string RequestId = "X-Request-ID";
    public const string RetryAfter = "Retry-After";
    public const string Challenge = "WWW-Authenticate";

    public static readonly string[] RateLimit = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"];
}
