using System.Text.Json;
using Gatehouse.Tenants;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests.Surfaces.Portal;

public sealed class BootstrapTests(UnthrottledServers servers)
{
    private const string Bootstrap = "/api/v1/ui/bootstrap";

    [Theory]
    [BothEngines]
    [Requirement(
        "S1-13", "S1-39", "S1-41", "S1-42", "S1-48", "S1-49", "S1-50", "S1-51", "S1-52", "S1-114", "S1-117", "S1-120", "S1-121", "S1-122")]
    public async Task It_tells_user_tenant_looks_flags_and_preferences(Engine engine)
    {
        using var client = (await servers[engine]).Client();
        var login = await client.Login();

        var bootstrap = await client.Get(Bootstrap, login["accessToken"]);

        Assert.Equal((200, "application/json"), (bootstrap.Code, bootstrap.Header("Content-Type")));
        Assert.Equal(["max-age=300", "private"], bootstrap.Header("Cache-Control")!.Split(", ").Order());
        Assert.Equal("Authorization", bootstrap.Header("Vary"));
        var json = bootstrap.Json;
        Wants.Members(
            json,
            "user: object", "tenant: object", "permissions: list", "menu: list", "defaultRoute: text", "uiConfigVersion: text",
            "schemaVersion: text", "featureFlags: object", "preferences: object");
        Same(json, "user", new
        {
            id = login.Json.GetProperty("user").GetProperty("id").GetString(),
            email = ApiClient.John,
            name = "John Doe",
            firstName = "John",
            lastName = "Doe",
            avatar = "https://cdn.example.com/avatars/john.doe.jpg",
            role = "admin",
            department = "Engineering",
        });
        Same(json, "tenant", new
        {
            id = login.Json.GetProperty("tenant").GetProperty("id").GetString(),
            name = "Acme Corporation",
            domain = "acme.example.com",
            logo = "https://cdn.example.com/tenants/acme/logo.png",
            theme = new { primaryColor = "#1890ff", logoUrl = "https://cdn.example.com/tenants/acme/logo.png" },
        });
        Assert.Equal(("/dashboard", "v1.2.3", "1.0"), (bootstrap["defaultRoute"], bootstrap["uiConfigVersion"], bootstrap["schemaVersion"]));
        Same(json, "featureFlags", new { newDashboard = true, advancedReports = true, betaFeatures = false, aiAssistant = true });
        Same(json, "preferences", new { locale = "en-US", timezone = "America/New_York", dateFormat = "MM/DD/YYYY", timeFormat = "12h" });
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-43", "S1-44", "S1-45", "S1-46", "S1-47", "S1-118")]
    public async Task An_owner_gets_every_permission_and_the_whole_menu_in_order(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();

        var json = (await client.Get(Bootstrap, (await server.SignInSomebody())["accessToken"])).Json;

        Assert.Equal(
            [
                "dashboard.view", "listings.create", "listings.delete", "listings.edit", "listings.view", "profile.edit", "profile.view",
                "reports.export", "reports.view", "settings.edit", "settings.view", "users.create", "users.edit", "users.view",
            ],
            Permissions(json).Order(StringComparer.Ordinal));
        Same(json, "menu", new object[]
        {
            Item("dashboard", "Dashboard", "DashboardOutlined", 1),
            new
            {
                id = "listings",
                label = "Listings",
                icon = "UnorderedListOutlined",
                route = "/listings",
                order = 2,
                permission = "listings.view",
                children = new[]
                {
                    new { id = "listings-active", label = "Active Listings", route = "/listings/active", order = 1 },
                    new { id = "listings-archived", label = "Archived", route = "/listings/archived", order = 2 },
                },
            },
            Item("users", "Users", "UserOutlined", 3),
            Item("reports", "Reports", "BarChartOutlined", 4),
            Item("settings", "Settings", "SettingOutlined", 5),
        });
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-41", "S1-43", "S1-118", "S1-119")]
    public async Task Other_roles_get_their_own_permissions_and_only_the_menu_these_open(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();

        var creator = (await client.Get(Bootstrap, (await server.SignInSomebody(Role.Creator))["accessToken"])).Json;
        var @operator = (await client.Get(Bootstrap, (await server.SignInSomebody(Role.Operator))["accessToken"])).Json;

        Assert.Equal("creator", creator.GetProperty("user").GetProperty("role").GetString());
        Assert.Equal("operator", @operator.GetProperty("user").GetProperty("role").GetString());
        Assert.Equal(["dashboard", "listings", "reports"], Menu(creator));
        Assert.Equal(["dashboard", "listings", "users", "reports", "settings"], Menu(@operator));
        Assert.Equal(
            ["dashboard.view", "listings.create", "listings.edit", "listings.view", "profile.edit", "profile.view", "reports.view"],
            Permissions(creator).Order(StringComparer.Ordinal));
        Assert.Equal(["settings.edit", "users.create", "users.edit"], Role.Permissions(Role.Owner).Except(Permissions(@operator)).Order());
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-118")]
    public async Task Each_level_of_a_configured_menu_is_put_in_order(Engine engine)
    {
        using var file = new TemporaryFile("""
            {"version":"v9","schemaVersion":"1.0","defaultRoute":"/b","featureFlags":{},"menu":[
              {"id":"z","label":"Z","icon":"I","route":"/z","order":9,"permission":null,"children":[
                {"id":"z3","label":"Z3","route":"/z/3","order":3},
                {"id":"z1","label":"Z1","route":"/z/1","order":1},
                {"id":"z2","label":"Z2","route":"/z/2","order":2,"permission":"settings.edit"}]},
              {"id":"hidden","label":"H","icon":"I","route":"/h","order":2,"permission":"settings.edit","children":[
                {"id":"below","label":"B","route":"/h/b","order":1}]},
              {"id":"a","label":"A","icon":"I","route":"/a","order":1,"permission":"dashboard.view"}]}
            """);
        await using var server = await GatehouseServer.Start(engine, ("Gatehouse:UiFile", file.Path));
        using var client = server.Client();

        var json = (await client.Get(Bootstrap, (await server.SignInSomebody(Role.Creator))["accessToken"])).Json;

        Assert.Equal(["a", "z"], Menu(json));
        Assert.Equal(["z1", "z3"], Ids(json.GetProperty("menu")[1].GetProperty("children")));
        Assert.Equal("/b", json.GetProperty("defaultRoute").GetString());
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-48")]
    public async Task Without_a_tenant_it_leads_to_the_choice_of_one(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        foreach (var tenants in new[] { 0, 2 })
        {
            var json = (await client.Get(Bootstrap, (await server.SignInSomebody(tenants: tenants))["accessToken"])).Json;

            Assert.Equal("/tenants", json.GetProperty("defaultRoute").GetString());
            Assert.Equal("null", json.GetProperty("tenant").GetRawText());
            Assert.Equal("null", json.GetProperty("user").GetProperty("role").GetRawText());
            Assert.Equal("null", json.GetProperty("user").GetProperty("department").GetRawText());
            Assert.Equal("[]", json.GetProperty("menu").GetRawText());
            Assert.Equal("[]", json.GetProperty("permissions").GetRawText());
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-40")]
    public async Task A_known_tag_gets_304_in_any_of_its_spellings(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var login = await server.SignInSomebody();
        var tag = (await client.Get(Bootstrap, login["accessToken"])).Header("ETag")!;
        Assert.Matches($"^\"bootstrap-v1\\.2\\.3-{login.Json.GetProperty("user").GetProperty("id")}-[0-9a-f]{{16}}\"$", tag);

        foreach (var known in new[] { tag, $"W/{tag}", $"\"other\", {tag}", $"\"other\",W/{tag},\"more\"", "*" })
        {
            var unchanged = await client.Get(Bootstrap, login["accessToken"], ("If-None-Match", known));
            Assert.Equal((304, "", tag), (unchanged.Code, unchanged.Text, unchanged.Header("ETag")));
            Assert.Equal(["max-age=300", "private"], unchanged.Header("Cache-Control")!.Split(", ").Order());
        }

        foreach (var unknown in new[] { "\"other\"", tag[1..^1], $"\"{tag[1..^2]}\"" })
        {
            Assert.Equal(200, (await client.Get(Bootstrap, login["accessToken"], ("If-None-Match", unknown))).Code);
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-40")]
    public async Task The_tag_differs_by_user_and_tenant_and_changes_with_the_preferences(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var (one, other) = (await server.SignInSomebody(), await server.SignInSomebody());
        var tag = (await client.Get(Bootstrap, one["accessToken"])).Header("ETag")!;
        Assert.Equal(200, (await client.Get(Bootstrap, other["accessToken"], ("If-None-Match", tag))).Code);

        await client.Send(HttpMethod.Patch, "/api/v1/users/me/preferences", new { timeFormat = "24h" }, one["accessToken"]);

        var changed = await client.Get(Bootstrap, one["accessToken"], ("If-None-Match", tag));
        Assert.Equal(200, changed.Code);
        Assert.NotEqual(tag, changed.Header("ETag"));
        Assert.Equal("24h", changed.Json.GetProperty("preferences").GetProperty("timeFormat").GetString());
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-39")]
    public async Task A_tag_is_no_credential(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();

        Wants.Challenge(await client.Get(Bootstrap, headers: ("If-None-Match", "*")), "UNAUTHENTICATED", server.Issuer);
    }

    private static object Item(string id, string label, string icon, int order) =>
        new { id, label, icon, route = $"/{id}", order, permission = $"{id}.view" };

    private static void Same(JsonElement json, string member, object expected) =>
        Assert.True(
            JsonElement.DeepEquals(JsonSerializer.SerializeToElement(expected), json.GetProperty(member)),
            json.GetProperty(member).GetRawText());

    private static List<string> Permissions(JsonElement json) =>
        [.. json.GetProperty("permissions").EnumerateArray().Select(p => p.GetString()!)];

    private static List<string> Menu(JsonElement json) => Ids(json.GetProperty("menu"));

    private static List<string> Ids(JsonElement items) => [.. items.EnumerateArray().Select(item => item.GetProperty("id").GetString()!)];

    private sealed class TemporaryFile : IDisposable
    {
        public TemporaryFile(string text) => File.WriteAllText(Path, text);

        public string Path { get; } = System.IO.Path.GetTempFileName();

        public void Dispose() => File.Delete(Path);
    }
}
