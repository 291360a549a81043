using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Server.Tests;

/// <summary>What only Development has, what only Production refuses, and what only the internal listener serves.</summary>
public sealed class ProductionTests
{
    private static readonly (string, string) ByProxy = ("X-Forwarded-Proto", "https");

    /// <summary>The least that Production needs.</summary>
    internal static IReadOnlyList<(string Name, string? Value)> Settings =>
    [
        ("ASPNETCORE_ENVIRONMENT", "Production"),
        ("Gatehouse__Issuer", "https://id.example.com"),
        ("Gatehouse__Mail__Host", "127.0.0.1"),
        ("Gatehouse__Mail__From", "no-reply@example.com"),
    ];

    [Fact]
    [Requirement("S1-102")]
    public async Task Production_refuses_plain_HTTP_everywhere_but_for_health_checks()
    {
        await using var database = await TestDatabase.Empty(Engine.Sqlite);
        await using var server = await ServerProcess.Start(database, [.. Settings]);
        using var client = server.Client();

        foreach (var path in new[] { "/api/v1/auth/login", "/v2/auth/refresh", "/api/v1/auth/me", "/dev/inbox", "/nothing", "/healthy" })
        {
            foreach (var headers in new (string, string)[][] { [], [ByProxy] })
            {
                var refused = await client.Post(path, new { email = ApiClient.John, password = ApiClient.DemoPassword }, headers: headers);
                Assert.Equal((403, "HTTPS_REQUIRED"), (refused.Code, refused.ErrorCode));
                Assert.Equal(refused.Header("X-Request-ID"), refused.Json.GetProperty("error").GetProperty("requestId").GetString());
            }
        }

        Assert.Equal(200, (await client.Get("/health/live")).Code);
        Assert.Equal(200, (await client.Get("/health/ready")).Code);
    }

    [Fact]
    public async Task Production_has_neither_demo_users_nor_a_dev_inbox()
    {
        await using var database = await TestDatabase.Empty(Engine.Sqlite);
        await using var server = await ServerProcess.Start(database, [.. Settings, ("Gatehouse__TrustedProxies__0", "127.0.0.1")]);
        using var client = server.Client();

        Assert.Equal((404, "NOT_FOUND"), Refused(await client.Get("/dev/inbox", headers: ByProxy)));
        Assert.Equal((404, "NOT_FOUND"), Refused(await client.Get("/dev/inbox.css", headers: ByProxy)));
        var login = await client.Post(
            "/api/v1/auth/login", new { email = ApiClient.John, password = ApiClient.DemoPassword }, headers: ByProxy);
        Assert.Equal((401, "INVALID_CREDENTIALS"), Refused(login));
        Assert.Equal("[]", (await GatehouseCommand.Run(database, "user", "list", "--json")).Output);
    }

    [Fact]
    public async Task Each_listener_serves_its_own_routes_and_nothing_of_the_other()
    {
        await using var database = await TestDatabase.Empty(Engine.Sqlite);
        await using var server = await ServerProcess.Start(database);
        using var outside = server.Client();
        using var inside = server.InternalClient();

        foreach (var path in new[] { "/oauth/jwks", "/api/v1/auth/me", "/api/v1/ui/bootstrap", "/dev/inbox", "/v2/auth/me" })
        {
            Assert.NotEqual(404, (await outside.Get(path)).Code);
            Assert.Equal((401, "UNAUTHENTICATED"), Refused(await inside.Get(path)));
        }

        Assert.Equal(401, (await inside.Login()).Code);
        Assert.Equal(404, (await outside.Get("/api/v1/internal/sessions/1")).Code);
        foreach (var path in new[] { "/health/live", "/health/ready" })
        {
            Assert.Equal(200, (await outside.Get(path)).Code);
            Assert.Equal(200, (await inside.Get(path)).Code);
        }
    }

    private static (int, string?) Refused(Answer answer) => (answer.Code, answer.ErrorCode);
}
