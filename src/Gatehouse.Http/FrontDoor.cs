using System.Buffers.Binary;
using System.Buffers.Text;
using Gatehouse.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Gatehouse.Http;

/// <summary>
/// The outermost step of every request: gives it an id, sets the headers every answer has, refuses plain HTTP, and sees that
/// whatever goes wrong further in becomes an answer in the envelope. Nothing leaves here with an empty body or a stack trace.
/// </summary>
internal sealed partial class FrontDoor(
    RequestDelegate next, HttpOptions options, Randomness random, TimeProvider time, ILogger<FrontDoor> logger)
{
    private const int MaxRequestId = 128;

    // An odd step visits every number once before it comes back, and neighbours do not look alike.
    private const ulong Step = 0x9E37_79B9_7F4A_7C15;

    private readonly byte[] idStart = random.Bytes(12);
    private ulong idSteps;

    internal static ApiError HttpsRequired { get; } =
        new(403, "HTTPS_REQUIRED", "Use https: credentials must not travel in the clear.");

    public async Task Invoke(HttpContext http)
    {
        http.TraceIdentifier = RequestId(http.Request.Headers["X-Request-ID"].ToString());
        SetHeaders(http.Response.Headers, http.TraceIdentifier);
        try
        {
            if (options.RequireHttps && !MayBePlain(http) && !ClientAddress.IsSecure(http, options))
            {
                await http.Fail(HttpsRequired, time);
                return;
            }

            await next(http);
        }
        catch (Exception e) when (!http.Response.HasStarted)
        {
            await Answer(http, e);
            return;
        }

        if (http.Response is { StatusCode: >= 400, HasStarted: false, ContentLength: null })
        {
            await http.Fail(ApiError.ForStatus(http.Response.StatusCode), time);
        }
    }

    private async Task Answer(HttpContext http, Exception e)
    {
        switch (e)
        {
            case BadHttpRequestException bad:
                await http.Fail(ApiError.ForStatus(bad.StatusCode), time);
                break;
            case OperationCanceledException when http.RequestAborted.IsCancellationRequested:
                // Nobody is there to read an answer; the status is for whoever counts them (client closed request).
                http.Response.StatusCode = 499;
                break;
            case DatabaseUnavailableException:
                LogUnavailable(e, http.TraceIdentifier);
                await http.Fail(ApiError.Unavailable, time);
                break;
            default:
                LogFailed(e, http.Request.Method, http.GetEndpoint()?.DisplayName ?? "no endpoint", http.TraceIdentifier);
                await http.Fail(ApiError.ForStatus(500), time);
                break;
        }
    }

    private bool MayBePlain(HttpContext http) =>
        http.Connection.LocalPort == options.InternalPort || http.Request.Path.StartsWithSegments("/health", StringComparison.Ordinal);

    // The caller's id if it is harmless in headers, logs and databases; otherwise a fresh one.
    private string RequestId(string given)
    {
        if (given.Length is > 0 and <= MaxRequestId && given.AsSpan().IndexOfAnyExcept(Harmless) < 0)
        {
            return given;
        }

        // It only has to be unlike any other; fresh randomness would cost every request a lock and a system call.
        Span<byte> bytes = stackalloc byte[12];
        idStart.CopyTo(bytes);
        var number = BinaryPrimitives.ReadUInt64LittleEndian(bytes) + (Interlocked.Increment(ref idSteps) * Step);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, number);
        return "req_" + Base64Url.EncodeToString(bytes);
    }

    private void SetHeaders(IHeaderDictionary headers, string requestId)
    {
        headers["X-Request-ID"] = requestId;
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "default-src 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        if (options.RequireHttps)
        {
            headers.StrictTransportSecurity = "max-age=31536000; includeSubDomains";
        }
    }

    private static readonly System.Buffers.SearchValues<char> Harmless =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    [LoggerMessage(3001, LogLevel.Error, "{Method} {Endpoint} failed (request {RequestId}).")]
    private partial void LogFailed(Exception e, string method, string endpoint, string requestId);

    [LoggerMessage(3002, LogLevel.Warning, "The store was not available (request {RequestId}).")]
    private partial void LogUnavailable(Exception e, string requestId);
}
