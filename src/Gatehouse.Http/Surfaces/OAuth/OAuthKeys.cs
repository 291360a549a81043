using Gatehouse.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gatehouse.Http.Surfaces.OAuth;

/// <summary>The public keys with which anybody can check our tokens (RFC 7517).</summary>
public sealed class OAuthKeys(KeyRing keys)
{
    /// <summary>Maps <c>GET /oauth/jwks</c>; pages of any origin may read it.</summary>
    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/oauth/jwks", Jwks).RequireCors(Cors.AnyOrigin);

    // A new key is published an hour before its first use, so five minutes of caching never hide one that is needed.
    private Task Jwks(HttpContext http)
    {
        http.Response.Headers.CacheControl = "public, max-age=300";
        return http.Answer(200, keys.Current.Jwks);
    }
}
