using Gatehouse.Http.OpenApi;
using Gatehouse.Users;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gatehouse.Http.Surfaces.Portal;

/// <summary>What a user interface starts from, and the user's preferences.</summary>
public sealed class PortalUi(AccountViews accounts, ChangePreferences change, UserStore users, IdempotentWrites writes, Bearer bearer, TimeProvider time)
{
    /// <summary>Maps the routes.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapSurface(Tag.Portal, "/api/v1");
        group.MapGet("/ui/bootstrap", Bootstrap)
            .Describe("Bootstrap", "All that a user interface needs to draw itself: user, tenant, permissions, menu, flags, preferences.")
            .NeedsBearer()
            .TakesHeader("If-None-Match")
            .Answers<BootstrapAnswer>(200, "The start of everything.", Shown.ETag, Shown.CacheControl)
            .AnswersEmpty(304, "What `If-None-Match` names is still current.", Shown.ETag, Shown.CacheControl);
        group.MapGet("/users/me/preferences", ReadPreferences)
            .Describe("My preferences", "Language, time zone and formats.")
            .NeedsBearer()
            .Answers<PreferencesView>(200, "The preferences.");
        group.MapPatch("/users/me/preferences", WritePreferences)
            .Describe("Change my preferences", "Fields that are left out stay as they are. `locale` is a BCP 47 tag, `timezone` an IANA name.")
            .Accepts(PreferencesBody.Read)
            .NeedsBearer()
            .HappensOnce()
            .Answers<PreferencesView>(200, "The preferences as they are now.");
    }

    private async Task Bootstrap(HttpContext http)
    {
        if (await bearer.Require(http) is not { } session)
        {
            return;
        }

        var view = await accounts.Get(session, http);
        http.Response.Headers.CacheControl = "private, max-age=300";
        http.Response.Headers.ETag = view.ETag;
        http.Response.Headers.Vary = "Authorization";
        if (Matches(http.Request.Headers.IfNoneMatch, view.ETag))
        {
            http.Response.StatusCode = 304;
            return;
        }

        await http.Answer(200, view.Bootstrap);
    }

    private async Task ReadPreferences(HttpContext http)
    {
        if (await bearer.Require(http) is { } session && await users.Find(session.UserId, http.RequestAborted) is { } user)
        {
            await Answer(http, user.Preferences);
        }
    }

    private async Task WritePreferences(HttpContext http)
    {
        if (await bearer.Require(http) is not { } session
            || await http.ReadBody(PreferencesBody.Read, time) is not { } body)
        {
            return;
        }

        await writes.Answer<Preferences>(
            http,
            session.UserId.ToString(),
            once => change.Apply(
                session.UserId, body.Language, body.Timezone, body.DateFormat, body.TimeFormat, http.RequestAborted, once),
            now => Wire.Reply(200, PreferencesView.Of(now), PortalJson.Default.PreferencesView));
    }

    private static Task Answer(HttpContext http, Preferences preferences)
    {
        http.Response.Headers.CacheControl = "no-store";
        return http.Answer(200, PreferencesView.Of(preferences), PortalJson.Default.PreferencesView);
    }

    // RFC 9110 §13.1.2: a list of tags, compared weakly, or a star.
    private static bool Matches(Microsoft.Extensions.Primitives.StringValues given, string etag)
    {
        foreach (var line in given)
        {
            foreach (var range in line.AsSpan().Split(','))
            {
                var tag = line.AsSpan(range).Trim();
                if (tag is "*" || tag.SequenceEqual(etag) || (tag.StartsWith("W/") && tag[2..].SequenceEqual(etag)))
                {
                    return true;
                }
            }
        }

        return false;
    }
}

/// <summary><c>PATCH preferences</c>: any of the fields; those left out stay as they are.</summary>
public sealed record PreferencesBody(string? Language, string? Timezone, string? DateFormat, string? TimeFormat)
{
    private static readonly string[] DateFormats = ["MM/DD/YYYY", "DD/MM/YYYY", "DD.MM.YYYY", "YYYY-MM-DD"];
    private static readonly string[] TimeFormats = ["12h", "24h"];

    internal static PreferencesBody Read(JsonFields fields)
    {
        var locale = fields.OptionalText("locale", 35);
        if (locale is not null && !Locale.IsLanguageTag(locale))
        {
            fields.Refuse("locale", "must be a language tag such as en-US (BCP 47).");
        }

        return new(locale, fields.TimeZone("timezone"), fields.OneOf("dateFormat", DateFormats), fields.OneOf("timeFormat", TimeFormats));
    }
}
