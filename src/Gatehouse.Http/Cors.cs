using Microsoft.AspNetCore.Cors.Infrastructure;

namespace Gatehouse.Http;

/// <summary>Which pages of other origins may read what.</summary>
internal static class Cors
{
    /// <summary>The policy of public documents: keys and metadata.</summary>
    public const string AnyOrigin = "any-origin";

    private static readonly string[] Exposed =
        ["X-Request-ID", "Retry-After", "ETag", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"];

    private static readonly string[] Accepted =
        ["Authorization", "Content-Type", "If-None-Match", "Idempotency-Key", "X-Client-Version", "X-CSRF-Token",
            "X-Idempotency-Key", "X-Request-ID"];

    public static void Configure(CorsOptions cors, HttpOptions options)
    {
        cors.AddPolicy(AnyOrigin, policy => policy.AllowAnyOrigin().WithMethods("GET").WithExposedHeaders(Exposed));
        cors.AddDefaultPolicy(policy => policy
            // Not WithOrigins: with a single origin that leaves out Vary, and a cache could give one origin another's answer.
            .SetIsOriginAllowed(origin => options.CorsOrigins.Contains(origin, StringComparer.OrdinalIgnoreCase))
            .WithMethods("GET", "POST", "PUT", "PATCH", "DELETE")
            .WithHeaders(Accepted)
            .WithExposedHeaders(Exposed)
            .SetPreflightMaxAge(TimeSpan.FromHours(1)));
    }
}
