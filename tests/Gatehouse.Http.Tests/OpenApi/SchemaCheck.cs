using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gatehouse.Http.Tests.OpenApi;

/// <summary>As much of JSON Schema as our document uses, and one rule more: a full object has no member that its schema does not name.</summary>
internal sealed class SchemaCheck(JsonObject document)
{
    public static JsonObject Resolve(JsonObject document, JsonNode node)
    {
        while (node["$ref"]?.GetValue<string>() is { } reference)
        {
            node = reference.Split('/').Skip(1).Aggregate((JsonNode)document, (at, name) => at[name]!);
        }

        return node.AsObject();
    }

    public IEnumerable<string> Problems(JsonNode reference, JsonNode? value, string at = "$")
    {
        var schema = Resolve(document, reference);
        foreach (var part in schema["allOf"]?.AsArray() ?? [])
        {
            foreach (var problem in Problems(part!, value, at))
            {
                yield return problem;
            }
        }

        foreach (var choice in new[] { schema["oneOf"], schema["anyOf"] })
        {
            if (choice is JsonArray options && options.All(option => Problems(option!, value, at).Any()))
            {
                yield return $"{at} is none of the possible.";
            }
        }

        if (schema["type"] is { } type && !Types(type).Contains(TypeOf(value)))
        {
            yield return $"{at} is {TypeOf(value)}, not {type.ToJsonString()}.";
        }

        if (schema["enum"] is JsonArray allowed && !allowed.Any(a => JsonNode.DeepEquals(a, value)))
        {
            yield return $"{at} is {value?.ToJsonString()}, not one of {allowed.ToJsonString()}.";
        }

        foreach (var problem in value switch
        {
            JsonObject members => OfObject(schema, members, at),
            JsonArray items => items.SelectMany((item, i) => schema["items"] is { } each ? Problems(each, item, $"{at}[{i}]") : []),
            _ => [],
        })
        {
            yield return problem;
        }
    }

    private IEnumerable<string> OfObject(JsonObject schema, JsonObject value, string at)
    {
        var required = (schema["required"]?.AsArray() ?? []).Select(name => name!.GetValue<string>()).ToList();
        foreach (var name in required.Where(name => !value.ContainsKey(name)))
        {
            yield return $"{at}.{name} is missing.";
        }

        var properties = schema["properties"]?.AsObject();
        foreach (var (name, member) in value)
        {
            var each = properties?[name] ?? schema["additionalProperties"];
            if (each is null && required.Count > 0 && properties is not null)
            {
                yield return $"{at}.{name} is in no schema.";
            }

            foreach (var problem in each is null ? [] : Problems(each, member, $"{at}.{name}"))
            {
                yield return problem;
            }
        }
    }

    private static IEnumerable<string> Types(JsonNode type) =>
        type is JsonArray several ? several.Select(one => one!.GetValue<string>()) : [type.GetValue<string>()];

    private static string TypeOf(JsonNode? value) => value?.GetValueKind() switch
    {
        null or JsonValueKind.Null => "null",
        JsonValueKind.String => "string",
        JsonValueKind.Number => "integer",
        JsonValueKind.True or JsonValueKind.False => "boolean",
        JsonValueKind.Array => "array",
        _ => "object",
    };
}
