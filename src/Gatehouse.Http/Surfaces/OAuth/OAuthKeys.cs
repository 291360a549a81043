using Gatehouse.Http.OpenApi;
using Gatehouse.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gatehouse.Http.Surfaces.OAuth;

/// <summary>The public keys with which anybody can check our tokens (RFC 7517).</summary>
public sealed class OAuthKeys(KeyRing keys)
{
    /// <summary>Maps <c>GET /oauth/jwks</c>; pages of any origin may read it.</summary>
    public void Map(IEndpointRouteBuilder routes) => routes.MapSurface(Tag.OAuth, "/oauth").MapGet("/jwks", Jwks)
        .RequireCors(Cors.AnyOrigin)
        .Describe("Public keys", "The keys with which anybody can check our access tokens (RFC 7517). The next key is among them an hour before its first use.")
        .Answers<JwkSet>(200, "The keys.", Shown.CacheControl);

    // A new key is published an hour before its first use, so five minutes of caching never hide one that is needed.
    private Task Jwks(HttpContext http)
    {
        http.Response.Headers.CacheControl = "public, max-age=300";
        return http.Answer(200, keys.Current.Jwks);
    }
}

/// <summary>A JWK set (RFC 7517 §5).</summary>
internal sealed record JwkSet(IReadOnlyList<Jwk> Keys);

/// <summary>A public P-256 key (RFC 7517 §4, RFC 7518 §6.2).</summary>
internal sealed record Jwk(string Kty, string Crv, string Alg, string Use, string Kid, string X, string Y);
