using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;

namespace Gatehouse.Http;

/// <summary>
/// Who is really calling. The socket tells, unless it belongs to a trusted proxy; then the right-most hop of
/// <c>X-Forwarded-For</c> that is not a trusted proxy does, since everything left of it could be invented.
/// </summary>
internal static class ClientAddress
{
    private const int MaxUserAgent = 256;

    /// <summary>The request's origin for audit rows, sessions and throttles.</summary>
    public static Origin Origin(this HttpContext http, HttpOptions options)
    {
        var address = Find(http, options);
        return new Origin(http.TraceIdentifier, address.ToString(), Prefix(address), UserAgent(http));
    }

    /// <summary>Whether the request reached us, or the trusted proxy before us, over TLS.</summary>
    public static bool IsSecure(HttpContext http, HttpOptions options) => http.Request.IsHttps
        || (IsTrusted(Socket(http), options)
            && EveryHopIsHttps(http.Request.Headers["X-Forwarded-Proto"].ToString()));

    private static bool EveryHopIsHttps(string hops)
    {
        foreach (var hop in hops.AsSpan().Split(','))
        {
            if (!hops.AsSpan(hop).Trim().Equals("https", StringComparison.OrdinalIgnoreCase))
            {
                return false;
            }
        }

        return true;
    }

    internal static IPAddress Find(HttpContext http, HttpOptions options)
    {
        var address = Socket(http);
        if (!IsTrusted(address, options))
        {
            return address;
        }

        var hops = string.Join(',', http.Request.Headers["X-Forwarded-For"].ToArray()).Split(',', StringSplitOptions.TrimEntries);
        for (var i = hops.Length - 1; i >= 0 && IsTrusted(address, options); i--)
        {
            if (!TryParseHop(hops[i], out var hop))
            {
                break;
            }

            address = hop;
        }

        return address;
    }

    /// <summary>IPv4 whole; IPv6 by /64, because one household has that many addresses.</summary>
    internal static string Prefix(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            return address.ToString();
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return $"{new IPAddress(bytes)}/64";
    }

    private static IPAddress Socket(HttpContext http) => Unmap(http.Connection.RemoteIpAddress ?? IPAddress.Loopback);

    private static IPAddress Unmap(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static bool IsTrusted(IPAddress address, HttpOptions options)
    {
        foreach (var network in options.TrustedProxies)
        {
            if (network.Contains(address))
            {
                return true;
            }
        }

        return false;
    }

    // Some proxies append the port.
    private static bool TryParseHop(string hop, out IPAddress address)
    {
        if (IPAddress.TryParse(hop, out var plain))
        {
            address = Unmap(plain);
            return true;
        }

        var parsed = IPEndPoint.TryParse(hop, out var endPoint);
        address = parsed ? Unmap(endPoint!.Address) : IPAddress.None;
        return parsed;
    }

    private static string UserAgent(HttpContext http)
    {
        var agent = http.Request.Headers.UserAgent.ToString();
        if (agent.Length <= MaxUserAgent)
        {
            return agent;
        }

        // Half a character is no text that a database takes.
        return agent[..(char.IsHighSurrogate(agent[MaxUserAgent - 1]) ? MaxUserAgent - 1 : MaxUserAgent)];
    }
}
