using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Gatehouse.Idempotency;
using Microsoft.AspNetCore.Http;

namespace Gatehouse.Http;

/// <summary>How values look on the wire.</summary>
internal static class Wire
{
    private const int KeptBuffer = 16 * 1024;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? scratch;

    /// <summary>Whether the path belongs to one of the two surfaces that word error codes in lower_snake and refuse unknown members.</summary>
    public static bool IsPublicOrInternal(PathString path) =>
        path.StartsWithSegments("/api/v1/public", StringComparison.OrdinalIgnoreCase)
        || path.StartsWithSegments("/api/v1/internal", StringComparison.OrdinalIgnoreCase);

    /// <summary>The id in the route; null when it is none of ours.</summary>
    public static Guid? RouteId(this HttpContext http) =>
        Guid.TryParseExact(http.Request.RouteValues["id"] as string, "D", out var id) ? id : null;

    /// <summary>ISO 8601 in UTC with a Z, to the second.</summary>
    public static string Time(long milliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Answers with a JSON body of known length.</summary>
    public static async Task Answer<T>(this HttpContext http, int status, T body, JsonTypeInfo<T> type)
    {
        var buffer = scratch ??= new ArrayBufferWriter<byte>(1024);
        scratch = null;
        await using (var writer = new Utf8JsonWriter(buffer))
        {
            JsonSerializer.Serialize(writer, body, type);
        }

        await http.Answer(status, buffer.WrittenMemory);
        if (buffer.Capacity <= KeptBuffer)
        {
            buffer.ResetWrittenCount();
            scratch = buffer;
        }
    }

    /// <summary>Answers with JSON that was rendered before. Kestrel itself gives up on a caller who has gone.</summary>
    public static Task Answer(this HttpContext http, int status, ReadOnlyMemory<byte> json)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = json.Length;
        return http.Response.BodyWriter.WriteAsync(json).AsTask();
    }

    /// <summary>An answer that can be kept and given again.</summary>
    public static Reply Reply<T>(int status, T body, JsonTypeInfo<T> type) => new(status, JsonSerializer.SerializeToUtf8Bytes(body, type));

    /// <summary>Keeps an answer that holds tokens out of every cache (RFC 6749 §5.1).</summary>
    public static void NeverStore(this HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.Pragma = "no-cache";
    }
}
