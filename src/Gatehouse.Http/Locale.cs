using System.Text.RegularExpressions;
using Gatehouse.Users;
using Microsoft.AspNetCore.Http;

namespace Gatehouse.Http;

/// <summary>Languages, time zones and what else tells how somebody wants to see things.</summary>
internal static partial class Locale
{
    /// <summary>The first language the client would like (RFC 9110 §12.5.4), or the default.</summary>
    public static string Of(HttpContext http)
    {
        var wanted = http.Request.GetTypedHeaders().AcceptLanguage;
        var best = wanted.OrderByDescending(language => language.Quality ?? 1).Select(language => language.Value.ToString());
        return best.FirstOrDefault(IsLanguageTag) ?? Preferences.Default.Locale;
    }

    /// <summary>A language with an optional script and region, such as <c>en-US</c> (BCP 47).</summary>
    public static bool IsLanguageTag(string text) => text.Length <= 35 && LanguageTag().IsMatch(text);

    // The system also knows abbreviations, offsets and, on Linux, paths among its own files; only names of places and UTC mean the
    // same to every client.
    private static bool IsTimeZone(string zone) =>
        zone == "UTC" || (ZoneName().IsMatch(zone) && TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _));

    /// <summary>An IANA time zone, or null.</summary>
    public static string? TimeZone(this JsonFields fields, string field)
    {
        var zone = fields.OptionalText(field, 64);
        if (zone is not null && !IsTimeZone(zone))
        {
            fields.Refuse(field, "must be an IANA time zone such as America/New_York.");
        }

        return zone;
    }

    [GeneratedRegex("^[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?\\z", RegexOptions.ExplicitCapture, 100)]
    private static partial Regex LanguageTag();

    [GeneratedRegex("^[A-Z][A-Za-z_]+(/[A-Z][A-Za-z0-9_+-]+){1,2}\\z", RegexOptions.ExplicitCapture, 100)]
    private static partial Regex ZoneName();
}
