using System.Text;
using System.Text.Json.Nodes;
using Gatehouse.Storage;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests.OpenApi;

/// <summary>One walk through every route of a real server, with everything that can come of each; what the document's examples are made of.</summary>
public sealed class ApiTour : IAsyncLifetime
{
    private static readonly Sql NoThrottles = new("DELETE FROM throttles");

    private readonly Recorder recorder = new();
    private ApiClient client = null!;
    private Database database = null!;
    private Answer shortLived = null!;

    internal GatehouseServer Server { get; private set; } = null!;

    internal Recorder Seen => recorder;

    /// <summary>The document as the server serves it.</summary>
    internal JsonObject Document { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await GatehouseServer.Start(Engine.Sqlite);
        client = Server.Client();
        database = Server.Get<Database>();
        Document = JsonNode.Parse((await client.Get("/openapi/v1.json")).Text)!.AsObject();
        shortLived = await ShortLived();
        await Public();
        foreach (var prefix in new[] { "/api/v1/auth", "/v2/auth" })
        {
            await SignIn(prefix);
            await Refresh(prefix);
            await SignOut(prefix);
            await Me(prefix);
        }

        await Sessions();
        await LogoutAll();
        await Ui();
        await EmailCodes();
        await Anywhere();
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await Server.DisposeAsync();
    }

    /// <summary>Tokens that are over before the tour gets to them.</summary>
    private async Task<Answer> ShortLived()
    {
        await using var hasty = await Server.StartAnother(
            ("Gatehouse:Issuer", Server.Issuer),
            ("Gatehouse:Sessions:IdleLimit", "00:00:30"),
            ("Gatehouse:Sessions:AccessTokenLife", "00:00:30"));
        using var other = hasty.Client();
        return await other.Login();
    }

    private async Task Public()
    {
        await Call("GET /health/live");
        await Call("GET /health/ready");
        await Call("GET /oauth/jwks");
    }

    private async Task SignIn(string prefix)
    {
        var login = $"POST {prefix}/login";
        await Call(login, new { email = ApiClient.John, password = ApiClient.DemoPassword });
        await Call(login, new { email = ApiClient.John });
        await Call(login, "{");
        await Call(login, new { email = ApiClient.John, password = "wrong" });
        await using (var strict = await Server.StartAnother(("Gatehouse:Sessions:Limit", "1"), ("Gatehouse:Sessions:LimitPolicy", "Reject")))
        {
            using var other = strict.Client();
            await recorder.Call(other, login, new { email = ApiClient.John, password = ApiClient.DemoPassword });
        }

        for (var i = 0; i < 5; i++)
        {
            await Call(login, new { email = ApiClient.John, password = "wrong" });
        }

        await ForgetThrottles();
    }

    private async Task Refresh(string prefix)
    {
        var refresh = $"POST {prefix}/refresh";
        await Call(refresh, new { });
        await Call(refresh, "{");
        await Call(refresh, new { refreshToken = "rt_junk" });

        var first = (await client.Login())["refreshToken"];
        await Call(refresh, new { refreshToken = first });
        Server.Time.Advance(TimeSpan.FromMinutes(1));
        await Call(refresh, new { refreshToken = first });
        await Call(refresh, new { refreshToken = first });

        var eager = (await client.Login())["refreshToken"];
        for (var i = 0; i < 11; i++)
        {
            var answer = await Call(refresh, new { refreshToken = eager });
            eager = answer.Code == 200 ? answer["refreshToken"] : eager;
        }

        await Call(refresh, new { refreshToken = shortLived["refreshToken"] });
        await ForgetThrottles();
    }

    private async Task SignOut(string prefix)
    {
        var logout = $"POST {prefix}/logout";
        var (one, other) = (await client.Login(), await client.Login());
        await Call(logout);
        await Call(logout, bearer: "junk");
        await Call(logout, new { refreshToken = "rt_junk" });
        await Call(logout, "{");
        await Call(logout, new { refreshToken = one["refreshToken"] }, other["accessToken"]);
        await Call(logout, new { refreshToken = one["refreshToken"] }, one["accessToken"]);
        await ForgetThrottles();
    }

    private async Task Me(string prefix)
    {
        var me = $"GET {prefix}/me";
        var (token, revoked) = (await Token(), await Token());
        await client.Post("/api/v1/auth/logout", bearer: revoked);
        await Call(me, bearer: token);
        await Call(me);
        await Call(me, bearer: "junk");
        await Call(me, bearer: revoked);
        await Call(me, bearer: shortLived["accessToken"]);
        await ForgetThrottles();
    }

    private async Task Sessions()
    {
        // Somebody with few sessions, of different ages: the list is ordered by them.
        var older = await LoginAsJane();
        Server.Time.Advance(TimeSpan.FromSeconds(1));
        var token = (await LoginAsJane())["accessToken"];
        await Call("GET /api/v1/auth/sessions", bearer: token);
        await Call("GET /api/v1/auth/sessions");
        const string Delete = "DELETE /api/v1/auth/sessions/{id}";
        await Call(Delete, bearer: token, id: older["sessionId"]);
        await Call(Delete, id: older["sessionId"]);
        await Call(Delete, bearer: token, id: "0198a5b4-0000-7000-8000-000000000000");

        const string Revoke = "POST /api/v1/auth/revoke";
        await Call(Revoke, new { token = (await client.Login())["refreshToken"] });
        await Call(Revoke, new { token = 1 });
        await Call(Revoke, "{");
        await ForgetThrottles();
    }

    private async Task LogoutAll()
    {
        const string Route = "POST /api/v1/auth/logout-all";
        var token = await Token();
        await client.Login();
        await Once(Route, new { exceptCurrent = true }, new { exceptCurrent = false }, token);
        await Call(Route, new { exceptCurrent = "yes" }, token);
        await Call(Route, "{", token);
        await Call(Route);
        await ForgetThrottles();
    }

    private async Task Ui()
    {
        var token = await Token();
        var answer = await Call("GET /api/v1/ui/bootstrap", bearer: token);
        await Call("GET /api/v1/ui/bootstrap", bearer: token, header: ("If-None-Match", answer.Header("ETag")!));
        await Call("GET /api/v1/ui/bootstrap");

        const string Change = "PATCH /api/v1/users/me/preferences";
        await Call("GET /api/v1/users/me/preferences", bearer: token);
        await Call("GET /api/v1/users/me/preferences");
        await Once(Change, new { timezone = "Europe/Berlin", timeFormat = "24h" }, new { timezone = "UTC" }, token);
        await Call(Change, new { timezone = "Nowhere" }, token);
        await Call(Change, "{", token);
        await Call(Change, new { });
    }

    private async Task EmailCodes()
    {
        const string Send = "POST /api/v1/public/auth/send-email-code";
        const string Confirm = "POST /api/v1/public/auth/confirm-email-code";
        await Call(Send, new { email = "ada@example.com" });
        await Call(Send, new { email = "ada" });
        await Call(Send, "{");
        var (challenge, code) = await Server.AskForCode(client, "grace@example.com");
        await Call(Confirm, new { challenge_id = challenge, code = "not the code" });
        await Call(Confirm, new { challenge_id = challenge });
        await Call(Confirm, "{");
        await using (var strict = await Server.StartAnother(("Gatehouse:Sessions:Limit", "1"), ("Gatehouse:Sessions:LimitPolicy", "Reject")))
        {
            using var other = strict.Client();
            var (second, its) = await Server.AskForCode(client, ApiClient.John);
            await recorder.Call(other, Confirm, new { challenge_id = second, code = its }, null, null, null);
        }

        var device = new { device_id = "7b1f6f0e-4b38-4c0b-9b57-0d3a0f3f6a11", device_type = "phone", device_name = "Grace's phone", platform = "iOS" };
        var body = new { challenge_id = challenge, code, device, time_zone = "Europe/Berlin", tokens = true };
        var answer = await Call(Confirm, body);
        await client.Post("/api/v1/auth/revoke", new { token = answer["refresh_token"] });
        await Call(Confirm, body);
        for (var i = 0; i < 10; i++)
        {
            await Call(Send, new { email = $"ada{i}@example.com" });
        }

        for (var i = 0; i < 60; i++)
        {
            await Call(Confirm, new { challenge_id = challenge, code = "not the code" });
        }

        await ForgetThrottles();
    }

    private async Task Anywhere()
    {
        await Call("POST /api/v1/auth/login", new { email = new string('x', 70_000) });
        await Call("POST /api/v1/auth/login", new StringContent("email=a", Encoding.UTF8, "application/x-www-form-urlencoded"));
    }

    /// <summary>A write under a key, the same again, and another one under that key.</summary>
    private async Task Once(string route, object body, object otherBody, string token)
    {
        var key = ("Idempotency-Key", Guid.NewGuid().ToString());
        await Call(route, body, token, header: key);
        await Call(route, body, token, header: key);
        await Call(route, otherBody, token, header: key);
    }

    private Task<Answer> LoginAsJane() => client.Post(
        "/api/v1/auth/login", new { email = ApiClient.Jane, password = ApiClient.DemoPassword }, headers: [("User-Agent", "Example/1.0")]);

    private async Task<string> Token() => (await client.Login())["accessToken"];

    // By the clock this would be fifteen minutes, in which every timer of the server fires thousands of times.
    private Task<int> ForgetThrottles() => database.Execute(NoThrottles, CancellationToken.None);

    private Task<Answer> Call(string route, object? body = null, string? bearer = null, string? id = null, (string, string)? header = null) =>
        recorder.Call(client, route, body, bearer, id, header);
}
