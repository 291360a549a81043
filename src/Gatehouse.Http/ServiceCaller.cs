using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Gatehouse.Http;

/// <summary>
/// Lets trusted services in on the internal listener: with the service token, or with a certificate that the listener has already
/// checked against its authority. Without either configured, nobody.
/// </summary>
public sealed class ServiceCaller(HttpOptions options, TimeProvider time)
{
    private const string Scheme = "Bearer ";

    private readonly byte[]? expected =
        options.ServiceToken.Length > 0 ? SHA256.HashData(Encoding.UTF8.GetBytes(options.ServiceToken)) : null;

    /// <summary>Passes the request on, or answers 401.</summary>
    internal async Task Guard(HttpContext http, RequestDelegate next)
    {
        if (HasCertificate(http) || HasToken(http))
        {
            await next(http);
            return;
        }

        http.Response.Headers.WWWAuthenticate =
            $"Bearer error=\"invalid_token\", resource_metadata=\"{options.Issuer}/.well-known/oauth-protected-resource\"";
        await http.Fail(new ApiError(401, "UNAUTHENTICATED", "Send the service token as a bearer token."), time);
    }

    private static bool HasCertificate(HttpContext http) => http.Connection.ClientCertificate is not null;

    private bool HasToken(HttpContext http)
    {
        var header = http.Request.Headers.Authorization;
        return expected is not null && header.Count == 1 && header[0] is { } value
            && value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(
                expected, SHA256.HashData(Encoding.UTF8.GetBytes(value[Scheme.Length..].Trim())));
    }
}
