using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests.Surfaces.Portal;

public sealed class PreferencesTests(UnthrottledServers servers)
{
    private const string Preferences = "/api/v1/users/me/preferences";
    private const string Untouched = """{"locale":"en-US","timezone":"UTC","dateFormat":"MM/DD/YYYY","timeFormat":"12h"}""";

    [Theory]
    [BothEngines]
    [Requirement("S1-52")]
    public async Task What_is_sent_changes_and_what_is_left_out_stays(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var token = (await server.SignInSomebody())["accessToken"];
        var before = await client.Get(Preferences, token);

        var zone = await Patch(client, token, new { timezone = "Europe/Berlin" });
        var rest = await Patch(
            client, token, new { locale = "de-DE", dateFormat = "DD.MM.YYYY", timeFormat = "24h", timezone = (string?)null });

        Assert.Equal((200, Untouched, "no-store"), (before.Code, before.Text, before.Header("Cache-Control")));
        Assert.Equal(Untouched.Replace("UTC", "Europe/Berlin", StringComparison.Ordinal), zone.Text);
        const string all = """{"locale":"de-DE","timezone":"Europe/Berlin","dateFormat":"DD.MM.YYYY","timeFormat":"24h"}""";
        Assert.Equal((200, all), (rest.Code, rest.Text));
        Assert.Equal(all, (await client.Get(Preferences, token)).Text);
        Assert.Equal(all, (await client.Get("/api/v1/ui/bootstrap", token)).Json.GetProperty("preferences").GetRawText());
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-52")]
    public async Task Every_bad_field_is_named_and_nothing_changes(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var token = (await server.SignInSomebody())["accessToken"];

        Wants.Invalid(
            await Patch(client, token, new { locale = "English", timezone = "Mars/Base", dateFormat = "YY", timeFormat = "13h" }),
            "locale", "timezone", "dateFormat", "timeFormat");
        Wants.Invalid(await Patch(client, token, new { locale = 1, timezone = true, timeFormat = "24h" }), "locale", "timezone");
        foreach (var zone in new[]
        {
            "", "EST5EDT6", "+02:00", "Eastern Standard Time", "Europe/Berlin\0", "America/../UTC", "../../etc/passwd", "./UTC", "/UTC",
            "posix/UTC", "right/UTC", "Europe/", "europe/berlin ", new string('x', 100),
        })
        {
            Wants.Invalid(await Patch(client, token, new { timezone = zone }), "timezone");
        }

        foreach (var locale in new[] { "", "e", "en_US", "en-US\n", "en-US\0", "en-USA1", new string('x', 100) })
        {
            Wants.Invalid(await Patch(client, token, new { locale }), "locale");
        }

        Assert.Equal(Untouched, (await client.Get(Preferences, token)).Text);
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-52")]
    public async Task They_are_ones_own_in_every_session_and_nobody_elses(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var person = await server.AddPerson();
        var (one, two, other) = (await client.Login(person.Email), await client.Login(person.Email), await server.SignInSomebody());

        await Patch(client, one["accessToken"], new { locale = "fr" });

        Assert.Contains("\"fr\"", (await client.Get(Preferences, two["accessToken"])).Text, StringComparison.Ordinal);
        Assert.Contains("\"fr\"", (await client.Get("/api/v1/ui/bootstrap", two["accessToken"])).Text, StringComparison.Ordinal);
        Assert.Equal(Untouched, (await client.Get(Preferences, other["accessToken"])).Text);
        Wants.Challenge(await client.Get(Preferences), "UNAUTHENTICATED", server.Issuer);
        Wants.Challenge(await Patch(client, null, new { locale = "en" }), "UNAUTHENTICATED", server.Issuer);
    }

    private static Task<Answer> Patch(ApiClient client, string? token, object body) =>
        client.Send(HttpMethod.Patch, Preferences, body, token);
}
