using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json.Serialization;
using Gatehouse.Delivery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gatehouse.Http.Surfaces.Dev;

/// <summary>Development only: what would have been mailed or texted, as a page for people and as JSON for tests.</summary>
public static class DevInboxPage
{
    private const string Csp =
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private const string Css = """
        body { font: 16px/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1f; background: #fff; }
        form { display: flex; gap: .5rem; align-items: center; margin-bottom: 1.5rem; }
        input, button { font: inherit; padding: .25rem .5rem; }
        input { flex: 1; min-width: 0; }
        article { border: 1px solid #8a8a94; border-radius: .5rem; padding: 0 1rem; margin-bottom: 1rem; }
        h2 { font-size: 1.1rem; margin: .75rem 0 0; }
        pre { font: inherit; white-space: pre-wrap; overflow-wrap: anywhere; }
        .about { color: #55555f; margin: 0; }
        .code { font: bold 1.5rem ui-monospace, monospace; letter-spacing: .2em; margin: .5rem 0; }
        @media (prefers-color-scheme: dark) { body { color: #eee; background: #1b1b1f; } .about { color: #b5b5bf; } }
        """;

    /// <summary>Maps <c>GET /dev/inbox?to=…</c> and its stylesheet.</summary>
    public static IEndpointRouteBuilder MapDevInbox(this IEndpointRouteBuilder routes, DevInbox inbox)
    {
        routes.MapGet("/dev/inbox", (HttpContext context, string? to) => Show(context, inbox, to)).ExcludeFromDescription();
        routes.MapGet("/dev/inbox.css", () => Results.Text(Css, "text/css", Encoding.UTF8)).ExcludeFromDescription();
        return routes;
    }

    private static IResult Show(HttpContext context, DevInbox inbox, string? to)
    {
        var recipient = string.IsNullOrWhiteSpace(to) ? null : to.Trim();
        var messages = inbox.Messages(recipient);
        var headers = context.Response.Headers;
        headers.CacheControl = "no-store";
        headers.Vary = "Accept, Sec-Fetch-Mode";
        if (!IsNavigation(context.Request))
        {
            return Results.Json([.. messages.Select(DevInboxEntry.Of)], DevInboxJson.Default.DevInboxEntryArray);
        }

        headers.ContentSecurityPolicy = Csp;
        headers.XContentTypeOptions = "nosniff";
        return Results.Text(Page(messages, recipient), "text/html", Encoding.UTF8);
    }

    private static bool IsNavigation(HttpRequest request) => request.Headers.TryGetValue("Sec-Fetch-Mode", out var mode)
        ? mode == "navigate"
        : request.GetTypedHeaders().Accept.Any(type => type.MediaType.Equals("text/html", StringComparison.OrdinalIgnoreCase));

    private static string Page(IReadOnlyList<DevMessage> messages, string? to)
    {
        var page = new StringBuilder($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Dev inbox</title>
            <link rel="stylesheet" href="/dev/inbox.css">
            </head>
            <body>
            <main>
            <h1>Dev inbox</h1>
            <form method="get" action="/dev/inbox">
            <label for="to">To</label>
            <input id="to" name="to" value="{Encode(to)}">
            <button>Show</button>
            </form>

            """);
        foreach (var message in messages)
        {
            var sentAt = Iso(message.SentAt);
            page.Append(CultureInfo.InvariantCulture, $"""
                <article>
                <h2>{Encode(message.Subject ?? "Text message")}</h2>
                <p class="about">{Encode(message.To)}, <time datetime="{sentAt}">{sentAt}</time></p>

                """);
            if (message.Code is { } code)
            {
                page.Append(CultureInfo.InvariantCulture, $"<p class=\"code\">{Encode(code)}</p>\n");
            }

            page.Append(CultureInfo.InvariantCulture, $"<pre>{Encode(message.Body)}</pre>\n</article>\n");
        }

        if (messages.Count == 0)
        {
            page.Append("<p>No messages yet.</p>\n");
        }

        return page.Append("</main>\n</body>\n</html>\n").ToString();
    }

    internal static string Iso(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static string Encode(string? text) => HtmlEncoder.Default.Encode(text ?? "");
}

/// <summary>One message on the wire.</summary>
internal sealed record DevInboxEntry(string Channel, string To, string? Subject, string Body, string? Code, string SentAt)
{
    public static DevInboxEntry Of(DevMessage message) => new(
        message.Channel == MessageChannel.Sms ? "sms" : "mail",
        message.To,
        message.Subject,
        message.Body,
        message.Code,
        DevInboxPage.Iso(message.SentAt));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(DevInboxEntry[]))]
internal sealed partial class DevInboxJson : JsonSerializerContext;
