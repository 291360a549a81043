using Microsoft.AspNetCore.Http;

namespace Gatehouse.Http;

/// <summary>The key with which a client marks a repetition of the same request.</summary>
internal static class IdempotencyKey
{
    private const int MaxLength = 255;

    /// <summary>The request's key, or empty when it has none that can be used.</summary>
    public static string Of(HttpContext http)
    {

        var key = http.Request.Headers["Idempotency-Key"] is { Count: 1 } one ? one.ToString() : Alias(http);
        return key.Length <= MaxLength ? key : "";
    }

    private static string Alias(HttpContext http) => http.Request.Headers["X-Idempotency-Key"] is { Count: 1 } one ? one.ToString() : "";
}
