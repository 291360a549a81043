using System.Collections.Frozen;
using System.Net;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Gatehouse.Delivery;

/// <summary>A rendered message; <paramref name="Sms"/> is null where the template has no short form.</summary>
public sealed record MessageText(string Subject, string Text, string Html, string? Sms);

/// <summary>
/// The texts in <c>Delivery/Templates</c>, one file per language. A paragraph is written once and becomes both parts of the mail;
/// in the HTML part everything is encoded, so no value can bring markup along.
/// </summary>
public static partial class MessageTemplates
{
    /// <summary>The language every other one falls back to.</summary>
    public const string Fallback = "en";

    private static readonly FrozenDictionary<string, FrozenDictionary<string, MessageTemplate>> ByLanguage = Load();

    /// <summary>The languages there are texts in.</summary>
    public static IReadOnlyCollection<string> Languages => ByLanguage.Keys;

    /// <summary>Fills a template; a template or value that does not exist is a programming error and throws.</summary>
    public static MessageText Render(string template, string language, IReadOnlyDictionary<string, string> data)
    {
        ArgumentNullException.ThrowIfNull(data);
        var (resolved, texts) = Resolve(language);
        var found = texts.GetValueOrDefault(template) ?? throw new ArgumentException($"There is no template {template}.", nameof(template));
        var paragraphs = found.Paragraphs.Select(paragraph => Fill(paragraph, template, data)).ToList();
        return new MessageText(
            Fill(found.Subject, template, data),
            string.Join("\r\n\r\n", paragraphs) + "\r\n",
            Page(resolved, found.Paragraphs, paragraphs),
            found.Sms is null ? null : Fill(found.Sms, template, data));
    }

    internal static FrozenDictionary<string, MessageTemplate> Texts(string language) => ByLanguage[language];

    /// <summary>The names a text wants values for.</summary>
    internal static IEnumerable<string> Placeholders(string text) => Placeholder().Matches(text).Select(match => match.Groups["name"].Value);

    // "de-AT" is served by "de", and what nobody translated by the fallback.
    private static (string Language, FrozenDictionary<string, MessageTemplate> Texts) Resolve(string language)
    {
        var wanted = language ?? Fallback;
        if (ByLanguage.TryGetValue(wanted, out var texts))
        {
            return (wanted.ToLowerInvariant(), texts);
        }

        var primary = wanted.Split('-', '_')[0];
        return ByLanguage.TryGetValue(primary, out texts) ? (primary.ToLowerInvariant(), texts) : (Fallback, ByLanguage[Fallback]);
    }

    private static string Fill(string text, string template, IReadOnlyDictionary<string, string> data) => Placeholder().Replace(
        text,
        match => data.TryGetValue(match.Groups["name"].Value, out var value)
            ? OneLine(value)
            : throw new ArgumentException($"The template {template} needs a value for {match.Groups["name"].Value}.", nameof(data)));

    // A line break in a value would start another header in the subject, and fake a paragraph in the text.
    private static string OneLine(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));

    private static string Page(string language, IReadOnlyList<string> sources, List<string> paragraphs)
    {
        var html = new StringBuilder($"""
            <!DOCTYPE html>
            <html lang="{language}">
            <head><meta charset="utf-8"><meta name="viewport" content="width=device-width"></head>
            <body style="font-family: sans-serif; font-size: 16px; line-height: 1.5; max-width: 36em; margin: 2em auto; padding: 0 1em">

            """.ReplaceLineEndings("\r\n"));
        for (var i = 0; i < paragraphs.Count; i++)
        {
            var style = sources[i] == "{code}" ? " style=\"font-size: 28px; font-weight: bold; letter-spacing: 4px\"" : "";
            html.Append("<p").Append(style).Append('>').Append(WebUtility.HtmlEncode(paragraphs[i])).Append("</p>\r\n");
        }

        return html.Append("</body>\r\n</html>\r\n").ToString();
    }

    private static FrozenDictionary<string, FrozenDictionary<string, MessageTemplate>> Load()
    {
        const string folder = "Templates/";
        var assembly = Assembly.GetExecutingAssembly();
        return assembly.GetManifestResourceNames()
            .Where(resource => resource.StartsWith(folder, StringComparison.Ordinal))
            .ToFrozenDictionary(
                resource => Path.GetFileNameWithoutExtension(resource),
                resource =>
                {
                    using var stream = assembly.GetManifestResourceStream(resource)!;
                    return JsonSerializer.Deserialize(stream, TemplateJson.Default.DictionaryStringMessageTemplate)!
                        .ToFrozenDictionary(StringComparer.Ordinal);
                },
                StringComparer.OrdinalIgnoreCase);
    }

    [GeneratedRegex(@"\{(?<name>[a-z_]+)\}", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Placeholder();
}

/// <summary>One template in one language.</summary>
internal sealed record MessageTemplate(string Subject, IReadOnlyList<string> Paragraphs, string? Sms);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(Dictionary<string, MessageTemplate>))]
internal sealed partial class TemplateJson : JsonSerializerContext;
