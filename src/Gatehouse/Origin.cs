namespace Gatehouse;

/// <summary>Where a request came from, as audit rows, sessions and throttles need it.</summary>
/// <param name="RequestId">The id that is also in the answer's <c>X-Request-ID</c>.</param>
/// <param name="Ip">The client's address; empty for the command line.</param>
/// <param name="IpPrefix">The address that throttles count: IPv4 whole, IPv6 by /64.</param>
/// <param name="UserAgent">What the client calls itself, cut to 256 characters.</param>
public sealed record Origin(string RequestId, string Ip, string IpPrefix, string UserAgent)
{
    /// <summary>The product itself, without a request.</summary>
    public static Origin Itself { get; } = new("", "", "", "");

    /// <summary>The operator's own command line.</summary>
    public static Origin CommandLine { get; } = new("", "", "", "gatehouse");
}

/// <summary>Who did something: <c>user</c>, <c>operator</c>, <c>service</c> or <c>system</c>, and which one.</summary>
public sealed record Actor(string Type, string Id)
{
    /// <summary>The product itself, by one of its rules.</summary>
    public static Actor System { get; } = new("system", "gatehouse");

    /// <summary>Whoever runs commands on the server's own machine.</summary>
    public static Actor CommandLine { get; } = new("operator", "command-line");

    /// <summary>A user, about themselves.</summary>
    public static Actor User(Guid userId) => new("user", userId.ToString());

    /// <inheritdoc/>
    public override string ToString() => $"{Type}:{Id}";
}
