using Microsoft.AspNetCore.Http;

namespace Gatehouse.Http;

/// <summary>The header with which a client marks repetitions of one request, and its alias.</summary>
internal static class IdempotencyKey
{
    private const int MaxLength = 255;

    /// <summary>The header as sent; null when there is none, several values joined by commas.</summary>
    public static string? Raw(HttpContext http)
    {
        var headers = http.Request.Headers;
        var values = headers.TryGetValue("Idempotency-Key", out var named) ? named : headers["X-Idempotency-Key"];
        return values.Count == 0 ? null : values.ToString();
    }

    /// <summary>The key for a lost answer of a refresh: a hint, so one that cannot be used is as good as none.</summary>
    public static string OfRefresh(HttpContext http) => Raw(http) is { Length: <= MaxLength } key ? key : "";
}
