using Gatehouse.Sessions;
using Microsoft.AspNetCore.Http;

namespace Gatehouse.Http;

/// <summary>Lets requests in that carry a live session's access token (RFC 6750 §2.1: in the header, nowhere else).</summary>
public sealed class Bearer(BearerCheck check, HttpOptions options, TimeProvider time)
{
    private const string Scheme = "Bearer ";

    private readonly string challenge =
        $"Bearer error=\"invalid_token\", resource_metadata=\"{options.Issuer}/.well-known/oauth-protected-resource\"";

    /// <summary>The token of the request, or null.</summary>
    internal static string? TokenOf(HttpContext http) => Find(http) is { } token ? token.ToString() : null;

    /// <summary>The caller's session; null when there is none and the refusal was answered.</summary>
    internal async ValueTask<SessionSnapshot?> Require(HttpContext http)
    {
        if (Find(http) is not { Length: > 0 } token)
        {
            return await Refuse(http, "UNAUTHENTICATED", "Send a bearer token in the Authorization header.");
        }

        // The request's own token is made when first asked for; nearly no check waits for anything, and none for long.
        var result = await check.Check(token, CancellationToken.None);
        return result.Failure switch
        {
            BearerFailure.None => result.Session,
            BearerFailure.Expired => await Refuse(http, "TOKEN_EXPIRED", "The access token has expired. Refresh it and try again."),
            BearerFailure.Revoked => await Refuse(http, "SESSION_REVOKED", "This session has ended. Please sign in again."),
            _ => await Refuse(http, "TOKEN_INVALID", "The access token is not valid here."),
        };
    }

    /// <summary>Answers 401 with the challenge (RFC 6750 §3).</summary>
    internal async ValueTask<SessionSnapshot?> Refuse(HttpContext http, string code, string message)
    {
        http.Response.Headers.WWWAuthenticate = challenge;
        await http.Fail(new ApiError(401, code, message), time);
        return null;
    }

    // A part of the header's own text, which Kestrel keeps from one request of a connection to the next.
    private static ReadOnlyMemory<char>? Find(HttpContext http)
    {
        var header = http.Request.Headers.Authorization;
        return header.Count == 1 && header[0] is { } value && value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? value.AsMemory(Scheme.Length).Trim()
            : default(ReadOnlyMemory<char>?);
    }
}
