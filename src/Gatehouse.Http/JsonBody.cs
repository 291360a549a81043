using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Gatehouse.Http;

/// <summary>Reads JSON bodies strictly: one object in UTF-8, no member twice, nothing after it; and says what is wrong with each field.</summary>
internal static class JsonBody
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    /// <summary>Reads the body into a request record; null when it was refused and the refusal answered.</summary>
    public static async ValueTask<T?> ReadBody<T>(this HttpContext http, Func<JsonFields, T> read, TimeProvider time, bool isOptional = false)
        where T : class
    {
        if (isOptional && http.Request.ContentLength is null or 0 && http.Request.Headers.TransferEncoding.Count == 0)
        {
            return read(new JsonFields(default));
        }

        if (!IsJson(http.Request.ContentType))
        {
            await http.Fail(ApiError.ForStatus(415), time);
            return null;
        }

        var (request, refusal) = await Parse(http, read);
        if (refusal is not null)
        {
            await http.Fail(refusal, time);
            return null;
        }

        return request;
    }

    private static async ValueTask<(T? Request, ApiError? Refusal)> Parse<T>(HttpContext http, Func<JsonFields, T> read)
        where T : class
    {
        var reader = http.Request.BodyReader;
        var body = await reader.ReadAsync(http.RequestAborted);
        while (!body.IsCompleted)
        {
            reader.AdvanceTo(body.Buffer.Start, body.Buffer.End);
            body = await reader.ReadAsync(http.RequestAborted);
        }

        if (IdempotencyKey.Raw(http) is not null)
        {
            http.Features.Set(new BodyHash(SHA256.HashData(body.Buffer.ToArray())));
        }

        try
        {
            // The parser lets other bytes pass inside strings that nobody asks for (RFC 8259 §8.1).
            if (!Utf8.IsValid(body.Buffer.IsSingleSegment ? body.Buffer.FirstSpan : body.Buffer.ToArray()))
            {
                return (null, ApiError.Malformed("The body is not valid UTF-8."));
            }

            using var document = ParseStrictly(body.Buffer);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                return (null, ApiError.Malformed("The body must be a JSON object."));
            }

            var fields = new JsonFields(document.RootElement);
            var request = read(fields);
            if (Wire.IsPublicOrInternal(http.Request.Path))
            {
                fields.RefuseUnread();
            }

            return fields.Problems.Count == 0 ? (request, null) : (null, ApiError.Invalid(fields.Problems));
        }
        catch (JsonException e)
        {
            return (null, ApiError.Malformed(e.LineNumber is { } line
                ? $"The body is not valid JSON (line {line + 1}, byte {e.BytePositionInLine + 1})."
                : $"The body is not valid JSON. {e.Message}"));
        }
        finally
        {
            reader.AdvanceTo(body.Buffer.End);
        }
    }

    private static JsonDocument ParseStrictly(ReadOnlySequence<byte> body)
    {
        try
        {
            return JsonDocument.Parse(body, Strict);
        }
        catch (InvalidOperationException e)
        {
            // What the parser throws for a name with half a surrogate pair in it, when it looks for names that come twice.
            throw new JsonException("A member's name is not valid Unicode text.", e);
        }
    }

    /// <summary>The hash of the body as it was read, for a request that carries an <c>Idempotency-Key</c>.</summary>
    public static byte[] HashOf(HttpContext http) => http.Features.Get<BodyHash>()?.Value ?? SHA256.HashData([]);

    private static bool IsJson(string? contentType) => MediaTypeHeaderValue.TryParse(contentType, out var type)
        && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
        && (!type.Charset.HasValue
            || HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase));
}

/// <summary>The SHA-256 of a body, kept with its request.</summary>
internal sealed record BodyHash(byte[] Value);
