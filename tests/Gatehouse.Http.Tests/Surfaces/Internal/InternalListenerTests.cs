using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests.Surfaces.Internal;

public sealed class InternalListenerTests(UnthrottledServers servers)
{
    private static readonly string[] Paths =
    [
        "/api/v1/internal/config/session-limit", "/API/V1/Internal/config/session-limit", "/api/v1/internal/audit", "/api/v1/internal",
        "/api/v1/internal/nothing", "/nothing", "/Metrics", "/HEALTH/live",
    ];

    [Fact]
    public async Task Without_the_service_token_every_internal_path_is_unauthenticated()
    {
        var server = await servers[Engine.Sqlite];
        using var client = new ApiClient(server.InternalUrl);
        var login = await server.SignInSomebody();
        foreach (var path in Paths)
        {
            foreach (var bearer in new[] { null, "", "wrong", login["accessToken"] })
            {
                var answer = await client.Get(path, bearer);
                Assert.True(answer.Code == 401, $"{path}: {answer.Code} {answer.Text}");
                Assert.StartsWith("Bearer ", answer.Header("WWW-Authenticate"), StringComparison.Ordinal);
            }
        }

        Assert.Equal(200, (await client.Get("/metrics")).Code);
        Assert.Equal(200, (await client.Get("/health/ready")).Code);
    }

    [Fact]
    public async Task On_the_public_listener_there_is_nothing_at_internal_paths()
    {
        var server = await servers[Engine.Sqlite];
        using var client = new ApiClient(server.Url) { Bearer = server.Get<HttpOptions>().ServiceToken };
        foreach (var path in Paths.Where(path => !path.StartsWith("/HEALTH", StringComparison.Ordinal)))
        {
            Wants.Error(await client.Get(path), 404, "NOT_FOUND");
        }

        Wants.Error(
            await client.Post("/api/v1/internal/user-blocks", new { email = "a@example.com", reason_code = "x", actor = InternalSessionsTests.Actor }),
            404,
            "NOT_FOUND");
    }

    [Fact]
    public async Task Without_a_configured_token_nobody_gets_in_by_an_empty_one()
    {
        await using var server = await GatehouseServer.StartInProduction(Engine.Sqlite);
        using var client = new ApiClient(server.InternalUrl);

        Assert.Equal(401, (await client.Get("/api/v1/internal/audit", headers: ("Authorization", "Bearer "))).Code);
        Assert.Equal(401, (await client.Get("/api/v1/internal/audit", headers: ("Authorization", "Bearer"))).Code);
    }
}
