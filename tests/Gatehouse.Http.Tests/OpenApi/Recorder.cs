using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gatehouse.Testing;

namespace Gatehouse.Http.Tests.OpenApi;

/// <summary>Calls a server and keeps, of each route, one request and one answer for each status and error code.</summary>
internal sealed partial class Recorder
{
    private readonly SortedDictionary<string, SortedDictionary<string, JsonObject>> kept = new(StringComparer.Ordinal);

    /// <summary>Every answer: its route, its status and itself.</summary>
    public List<(string Route, string Status, Answer Answer)> Seen { get; } = [];

    /// <summary>What is kept, as examples.json has it.</summary>
    public JsonObject Examples => new(kept.Select(route => KeyValuePair.Create<string, JsonNode?>(
        route.Key,
        new JsonObject(route.Value.Select(status => KeyValuePair.Create<string, JsonNode?>(status.Key, status.Value.DeepClone()))))));

    /// <summary>Sends a request to a route, given as <c>POST /path</c>; <paramref name="id"/> stands for <c>{id}</c>.</summary>
    public async Task<Answer> Call(
        ApiClient client, string route, object? body = null, string? bearer = null, string? id = null, (string, string)? header = null)
    {
        var (method, path) = (route.Split(' ')[0], route.Split(' ')[1]);
        var answer = await client.Send(
            HttpMethod.Parse(method),
            path.Replace("{id}", id, StringComparison.Ordinal),
            body,
            bearer,
            [("User-Agent", "Example/1.0"), .. header is { } extra ? new[] { extra } : []]);
        var status = answer.Code.ToString(CultureInfo.InvariantCulture);
        Seen.Add((route, status, answer));
        if (answer.Text.Length > 0)
        {
            Keep(answer.Code is 413 or 415 ? "any" : route, status, answer.Code < 400 ? "answer" : answer.ErrorCode!, answer.Text);
        }

        if (answer.Code < 300 && body is not null)
        {
            Keep(route, "request", "request", JsonSerializer.Serialize(body));
        }

        return answer;
    }

    private void Keep(string route, string status, string name, string json)
    {
        if (!kept.TryGetValue(route, out var statuses))
        {
            kept[route] = statuses = new(StringComparer.Ordinal);
        }

        if (!statuses.TryGetValue(status, out var named))
        {
            statuses[status] = named = [];
        }

        named.TryAdd(name, new Normal().Of(name, JsonNode.Parse(json)));
    }

    /// <summary>Puts samples in the place of whatever differs from run to run.</summary>
    private sealed class Normal
    {
        private readonly List<string> ids = [];

        public JsonNode? Of(string name, JsonNode? node) => node switch
        {
            JsonObject members => new JsonObject(members.Select(m => KeyValuePair.Create(m.Key, Of(m.Key, m.Value)))),
            JsonArray items => new JsonArray([.. items.Select(item => Of(name, item))]),
            JsonValue value when value.GetValueKind() == JsonValueKind.String => Text(name, value.GetValue<string>()),
            _ => node?.DeepClone(),
        };

        private string Text(string name, string value) => name switch
        {
            "accessToken" or "access_token" => "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6Ii4uLiJ9.eyJzdWIiOiIuLi4ifQ.c2lnbmF0dXJl",
            "refreshToken" or "refresh_token" or "token" => "rt_AQAAAAMBmz...",
            "requestId" => "req_zS3kQ0aXlW9fJ2bT",
            "code" when value.All(char.IsAsciiDigit) => "493027",
            "kid" => "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
            "x" => "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y" => "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            _ when Guid.TryParseExact(value, "D", out _) => Id(value),
            _ when Iso().IsMatch(value) => "2026-01-18T10:00:00Z",
            _ => value,
        };

        // The first id of a body is always the same sample, and so on: which ids are equal stays visible.
        private string Id(string value)
        {
            if (!ids.Contains(value))
            {
                ids.Add(value);
            }

            return $"019bd0c8-7a80-7000-8000-{ids.IndexOf(value) + 1:d12}";
        }
    }

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Iso();
}
