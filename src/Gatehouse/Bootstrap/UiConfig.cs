using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gatehouse.Bootstrap;

/// <summary>What a user interface is made of before anybody's rights are looked at; read once at start.</summary>
public sealed record UiConfig(
    string Version,
    string SchemaVersion,
    string DefaultRoute,
    IReadOnlyDictionary<string, bool> FeatureFlags,
    IReadOnlyList<MenuItem> Menu)
{
    /// <summary>Reads a file of this shape, or the built-in one when none is configured.</summary>
    public static UiConfig Load(string? file)
    {
        using var stream = string.IsNullOrEmpty(file)
            ? Assembly.GetExecutingAssembly().GetManifestResourceStream("Bootstrap/ui.json")!
            : File.OpenRead(file);
        try
        {
            var config = JsonSerializer.Deserialize(stream, UiConfigJson.Default.UiConfig)
                ?? throw new JsonException("It is empty.");

            // The version becomes part of an entity tag (RFC 9110 §8.8.3).
            return config.Version.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_')
                ? config
                : throw new JsonException("The version may hold letters, digits, dots, dashes and underscores.");
        }
        catch (JsonException e)
        {
            throw new InvalidOperationException($"The UI configuration {file} cannot be used: {e.Message}", e);
        }
    }
}

/// <summary>An entry of the menu. It is shown to those who have the permission; children without one follow their parent.</summary>
public sealed record MenuItem(
    string Id,
    string Label,
    string? Icon,
    string Route,
    int Order,
    string? Permission,
    IReadOnlyList<MenuItem>? Children)
{
    /// <summary>The entries that somebody with these permissions sees, in order, level by level.</summary>
    public static IReadOnlyList<MenuItem> Visible(IReadOnlyList<MenuItem> items, IReadOnlyList<string> permissions) =>
    [
        .. items
            .Where(item => item.Permission is null || permissions.Contains(item.Permission, StringComparer.Ordinal))
            .OrderBy(item => item.Order)
            .Select(item => item.Children is null ? item : item with { Children = Visible(item.Children, permissions) }),
    ];
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(UiConfig))]
internal sealed partial class UiConfigJson : JsonSerializerContext;
