using System.Net;

namespace Gatehouse.Http;

/// <summary>How the wire behaves; parts of configuration section <c>Gatehouse</c>.</summary>
public sealed record HttpOptions
{
    /// <summary>The issuer; links in answers start with it, never with the request's <c>Host</c>.</summary>
    public required string Issuer { get; init; }

    /// <summary>Proxies whose <c>X-Forwarded-For</c> and <c>X-Forwarded-Proto</c> are believed: addresses or CIDR.</summary>
    public IReadOnlyList<IPNetwork> TrustedProxies { get; init; } = [];

    /// <summary>Origins whose pages may read our answers.</summary>
    public IReadOnlyList<string> CorsOrigins { get; init; } = [];

    /// <summary>The port of the internal listener, which is bound to loopback and serves nothing of the public one.</summary>
    public int InternalPort { get; init; }

    /// <summary>What trusted services present on the internal listener; empty lets none in by token.</summary>
    public string ServiceToken { get; init; } = "";

    /// <summary>Whether plain HTTP is refused, as everywhere but in Development.</summary>
    public bool RequireHttps { get; init; } = true;
}
