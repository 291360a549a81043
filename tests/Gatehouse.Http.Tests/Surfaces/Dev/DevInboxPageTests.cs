using System.Net.Http.Headers;
using Gatehouse.Delivery;
using Gatehouse.Http.Surfaces.Dev;
using Gatehouse.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Gatehouse.Http.Tests.Surfaces.Dev;

public sealed class DevInboxPageTests : IAsyncLifetime
{
    private readonly DevInbox inbox = new(new ManualTime());
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;
    private WebApplication app = null!;
    private HttpClient client = null!;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        app = builder.Build();
        app.MapDevInbox(inbox);
        await app.StartAsync(ct);
        client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await app.DisposeAsync();
    }

    [Fact]
    public async Task Programs_get_the_messages_of_one_recipient_as_JSON()
    {
        await Mail("ada@example.com", "Hello", "123456");
        await Mail("grace@example.com", "Other", null);
        await inbox.SendSms(Message("+491701234567", "", "654321"), ct);

        Assert.Equal(
            """[{"channel":"mail","to":"ada@example.com","subject":"Hello","body":"Body of Hello","code":"123456","sent_at":"2026-01-18T10:00:00.000Z"}]""",
            await client.GetStringAsync("/dev/inbox?to=ada%40example.com", ct));
        Assert.Equal(
            """[{"channel":"sms","to":"+491701234567","subject":null,"body":"Short","code":"654321","sent_at":"2026-01-18T10:00:00.000Z"}]""",
            (await client.GetStringAsync("/dev/inbox?to=%2B491701234567", ct)).Replace("\\u002B", "+", StringComparison.Ordinal));
        Assert.Equal("[]", await client.GetStringAsync("/dev/inbox?to=eve%40example.com", ct));
    }

    [Fact]
    public async Task People_get_an_escaped_page_that_needs_no_script()
    {
        await Mail("ada@example.com", "<script>alert(1)</script>", "123456");

        using var response = await Navigate("/dev/inbox?to=%22%3E%3Cscript%3E");
        using var all = await Navigate("/dev/inbox");
        var page = await all.Content.ReadAsStringAsync(ct);

        Assert.Equal("text/html", all.Content.Headers.ContentType?.MediaType);
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;", page, StringComparison.Ordinal);
        Assert.Contains("<p class=\"code\">123456</p>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", await response.Content.ReadAsStringAsync(ct), StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", Assert.Single(all.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        Assert.Contains("Sec-Fetch-Mode", string.Join(',', all.Headers.Vary), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_script_in_a_browser_gets_JSON_though_it_accepts_anything()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/dev/inbox");
        request.Headers.Add("Sec-Fetch-Mode", "cors");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/html"));

        using var response = await client.SendAsync(request, ct);

        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task The_stylesheet_is_served_beside_the_page()
    {
        using var response = await client.GetAsync(new Uri("/dev/inbox.css", UriKind.Relative), ct);

        Assert.Equal("text/css", response.Content.Headers.ContentType?.MediaType);
    }

    private async Task<HttpResponseMessage> Navigate(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/html"));
        return await client.SendAsync(request, ct);
    }

    private Task<DeliveryOutcome> Mail(string to, string subject, string? code) => inbox.SendMail(Message(to, subject, code), ct);

    private static OutgoingMessage Message(string to, string subject, string? code) =>
        new(Guid.NewGuid(), to, new MessageText(subject, $"Body of {subject}", "", "Short"), code);
}
