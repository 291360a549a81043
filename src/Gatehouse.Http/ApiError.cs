using System.Globalization;
using System.Text.Json.Serialization;
using Gatehouse.Throttling;
using Microsoft.AspNetCore.Http;

namespace Gatehouse.Http;

/// <summary>A refusal, as every JSON surface words it.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Code">What a program branches on.</param>
/// <param name="Message">What a person reads: what was wrong and what to do.</param>
public sealed record ApiError(int Status, string Code, string Message)
{
    /// <summary>For a 400, every bad field.</summary>
    public IReadOnlyList<FieldProblem>? Details { get; init; }

    /// <summary>Whole seconds after which to try again.</summary>
    public int? RetryAfter { get; init; }

    internal static ApiError Malformed(string why) => new(400, "INVALID_REQUEST", why);

    internal static ApiError Invalid(params IReadOnlyList<FieldProblem> problems) =>
        new(400, "VALIDATION_FAILED", "Some fields are missing or malformed; see details.") { Details = problems };

    internal static ApiError NotFound { get; } = new(404, "NOT_FOUND", "There is nothing here.");

    internal static ApiError Unavailable { get; } =
        new(503, "SERVICE_UNAVAILABLE", "The service cannot answer right now. Please try again.") { RetryAfter = 1 };

    internal static ApiError TooMany(Permit permit, string what, long now)
    {
        var seconds = permit.RetryAfter(now);
        var wait = seconds < 120 ? $"{seconds} seconds" : $"{(seconds + 59) / 60} minutes";
        return new ApiError(429, "RATE_LIMIT_EXCEEDED", $"Too many {what}. Please try again in {wait}.") { RetryAfter = seconds };
    }

    /// <summary>The error for a status that the framework set without saying why.</summary>
    internal static ApiError ForStatus(int status) => status switch
    {
        401 => new(status, "UNAUTHENTICATED", "Sign in first."),
        403 => new(status, "FORBIDDEN", "You may not do this."),
        404 => NotFound,
        405 => new(status, "METHOD_NOT_ALLOWED", "This path does not take this method; see the Allow header."),
        408 => new(status, "REQUEST_TIMEOUT", "The request did not arrive in time."),
        413 => new(status, "PAYLOAD_TOO_LARGE", "The body is too large: at most 64 KiB."),
        414 or 431 => new(status, "INVALID_REQUEST", "The address or the headers are too long."),
        415 => new(status, "UNSUPPORTED_MEDIA_TYPE", "Send the body as application/json in UTF-8."),
        503 => Unavailable,
        >= 500 => new(status, "INTERNAL_ERROR", "Something went wrong on our side. Please report the request id."),
        _ => new(status, "INVALID_REQUEST", "The request is malformed."),
    };
}

/// <summary>A field that cannot be accepted, by its name on the wire, and why.</summary>
public sealed record FieldProblem(string Field, string Message);

/// <summary>The envelope of every error body.</summary>
internal sealed record ErrorAnswer(ErrorBody Error);

internal sealed record ErrorBody(string Code, string Message, string Timestamp, string RequestId)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<FieldProblem>? Details { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? RetryAfter { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ErrorAnswer))]
internal sealed partial class ErrorJson : JsonSerializerContext;

/// <summary>Writes refusals and the headers of throttles.</summary>
internal static class ErrorAnswers
{
    /// <summary>Answers with the error in the envelope.</summary>
    public static Task Fail(this HttpContext http, ApiError error, TimeProvider time)
    {
        if (error.RetryAfter is { } seconds)
        {
            http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        http.Response.Headers.CacheControl = "no-store";
        var body = new ErrorBody(Worded(http, error), error.Message, Wire.Time(time.Now()), http.TraceIdentifier)
        {
            Details = error.Details,
            RetryAfter = error.RetryAfter,
        };
        return http.Answer(error.Status, new ErrorAnswer(body), ErrorJson.Default.ErrorAnswer);
    }

    // Two surfaces word codes in lower case, and every 400 alike; a path that no surface has is nobody's.
    private static string Worded(HttpContext http, ApiError error) =>
        error.Status == 404 && http.GetEndpoint() is null ? error.Code : Worded(http.Request.Path, error.Status, [error.Code])[0];

    /// <summary>The codes as the surface of this path words them.</summary>
    internal static IReadOnlyList<string> Worded(PathString path, int status, IReadOnlyList<string> codes) => !Wire.IsPublicOrInternal(path) ? codes
        : status == 400 ? ["invalid_request"]
        : [.. codes.Select(code => code.ToLowerInvariant())];

    /// <summary>Shows what a throttle has left; the reset is in Unix seconds.</summary>
    public static void ShowLimit(this HttpContext http, Permit permit)
    {
        var headers = http.Response.Headers;
        headers["X-RateLimit-Limit"] = permit.Limit.ToString(CultureInfo.InvariantCulture);
        headers["X-RateLimit-Remaining"] = permit.Remaining.ToString(CultureInfo.InvariantCulture);
        headers["X-RateLimit-Reset"] = ((permit.ResetAt + 999) / 1000).ToString(CultureInfo.InvariantCulture);
    }
}
