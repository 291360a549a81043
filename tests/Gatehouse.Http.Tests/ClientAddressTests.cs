using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests;

/// <summary>Who is calling, as the user's list of sessions shows it.</summary>
public sealed class ClientAddressTests(ClientAddressTests.Proxied proxied, UnthrottledServers direct) : IClassFixture<ClientAddressTests.Proxied>
{
    [Theory]
    [BothEngines]
    [Requirement("S1-103")]
    public async Task Without_a_trusted_proxy_only_the_socket_counts(Engine engine)
    {
        var server = await direct[engine];

        Assert.Equal("127.0.0.1", await AddressOf(server, "198.51.100.7"));
        Assert.Equal("127.0.0.1", await AddressOf(server, null));
    }

    [Theory]
    [InlineData("198.51.100.7", "198.51.100.7")]
    [InlineData("203.0.113.1, 198.51.100.7", "198.51.100.7")]
    [InlineData("203.0.113.1, 198.51.100.7, 10.1.2.3", "198.51.100.7")]
    [InlineData("198.51.100.7,10.1.2.3,10.9.9.9", "198.51.100.7")]
    [InlineData("198.51.100.7:4711", "198.51.100.7")]
    [InlineData("2001:db8::7", "2001:db8::7")]
    [InlineData("[2001:db8::7]:4711", "2001:db8::7")]
    [InlineData("[2001:db8::7]", "2001:db8::7")]
    [InlineData("::ffff:198.51.100.7", "198.51.100.7")]
    [InlineData("198.51.100.7, ::ffff:10.1.2.3", "198.51.100.7")]
    [InlineData("10.1.2.3", "10.1.2.3")]
    [InlineData("198.51.100.7, unknown", "127.0.0.1")]
    [InlineData("198.51.100.7, unknown, 10.1.2.3", "10.1.2.3")]
    [InlineData("unknown", "127.0.0.1")]
    [InlineData("", "127.0.0.1")]
    [InlineData(",,,", "127.0.0.1")]
    [InlineData("'; DROP TABLE sessions; --", "127.0.0.1")]
    [Requirement("S1-103")]
    public async Task Behind_trusted_proxies_the_nearest_untrusted_hop_counts(string forwarded, string address) =>
        Assert.Equal(address, await AddressOf(await proxied[Engine.Sqlite], forwarded));

    [Theory]
    [BothEngines]
    [Requirement("S1-103")]
    public async Task An_invented_hop_does_not_escape_the_throttle(Engine engine)
    {
        await using var server = await GatehouseServer.Start(engine, ("Gatehouse:TrustedProxies:0", "127.0.0.1"));
        using var client = server.Client();
        for (var i = 0; i < 5; i++)
        {
            Wants.Refusal(await Guess(i), "INVALID_CREDENTIALS");
        }

        Assert.Equal(429, (await Guess(6)).Code);

        Task<Answer> Guess(int i) => client.Login($"{i}@example.com", "x", ("X-Forwarded-For", $"203.0.113.{i}, 198.51.100.7"));
    }

    private static async Task<string?> AddressOf(GatehouseServer server, string? forwarded)
    {
        using var client = server.Client();
        var person = await server.AddPerson();
        var login = await client.Login(person.Email, headers: forwarded is null ? [] : [("X-Forwarded-For", forwarded)]);
        var sessions = (await client.Get("/api/v1/auth/sessions", login["accessToken"])).Json.GetProperty("sessions");
        return Assert.Single(sessions.EnumerateArray()).GetProperty("ip").GetString();
    }

    public sealed class Proxied() : BothServers(
        ("Gatehouse:RateLimits:Enabled", "false"), ("Gatehouse:TrustedProxies:0", "127.0.0.1"), ("Gatehouse:TrustedProxies:1", "10.0.0.0/8"));
}
