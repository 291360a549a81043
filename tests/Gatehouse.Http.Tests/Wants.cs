using System.Text.Json;
using Gatehouse.Testing;
using Xunit;

[assembly: AssemblyFixture(typeof(UnthrottledServers))]

namespace Gatehouse.Http.Tests;

/// <summary>What answers must look like.</summary>
internal static class Wants
{
    /// <summary>Exactly these members, as <c>name: text|number|flag|null|object|list</c>; their order does not matter.</summary>
    public static void Members(JsonElement json, params string[] members) =>
        Assert.Equal(members.Order(StringComparer.Ordinal), json.EnumerateObject().Select(Describe).Order(StringComparer.Ordinal));

    /// <summary>The envelope, whole and true: the code, a message, the time, the request's id, and nothing that was not asked for.</summary>
    public static void Error(Answer answer, int status, string code, params string[] more)
    {
        Assert.True(answer.Code == status, $"{answer.Code}: {answer.Text}");
        Assert.Equal("application/json", answer.Header("Content-Type"));
        Members(answer.Json, "error: object");
        var error = answer.Json.GetProperty("error");
        Members(error, ["code: text", "message: text", "timestamp: text", "requestId: text", .. more]);
        Assert.Equal(code, answer.ErrorCode);
        Assert.NotEqual("", error.GetProperty("message").GetString());
        Assert.Matches("^2[0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$", error.GetProperty("timestamp").GetString());
        Assert.Equal(answer.Header("X-Request-ID"), error.GetProperty("requestId").GetString());
        Assert.Equal("no-store", answer.Header("Cache-Control"));
    }

    /// <summary>A 400 that names exactly these fields.</summary>
    public static void Invalid(Answer answer, params string[] fields)
    {
        Error(answer, 400, "VALIDATION_FAILED", "details: list");
        var details = answer.Json.GetProperty("error").GetProperty("details").EnumerateArray().ToList();
        Assert.All(details, detail => Members(detail, "field: text", "message: text"));
        Assert.Equal(fields.Order(), details.Select(d => d.GetProperty("field").GetString()!).Order());
    }

    /// <summary>A 401 about the bearer token, with the challenge that RFC 6750 §3 asks for.</summary>
    public static void Challenge(Answer answer, string code, string issuer)
    {
        Error(answer, 401, code);
        Assert.Equal(
            $"Bearer error=\"invalid_token\", resource_metadata=\"{issuer}/.well-known/oauth-protected-resource\"",
            answer.Header("WWW-Authenticate"));
    }

    /// <summary>A 401 about a credential in the body; no challenge belongs there.</summary>
    public static void Refusal(Answer answer, string code)
    {
        Error(answer, 401, code);
        Assert.Null(answer.Header("WWW-Authenticate"));
    }

    /// <summary>Success, and kept out of every cache.</summary>
    public static void Tokens(Answer answer)
    {
        Assert.True(answer.Code == 200, answer.Text);
        Assert.Equal("application/json", answer.Header("Content-Type"));
        Assert.Equal("no-store", answer.Header("Cache-Control"));
        Assert.Equal("no-cache", answer.Header("Pragma"));
    }

    private static string Describe(JsonProperty member) => $"{member.Name}: " + member.Value.ValueKind switch
    {
        JsonValueKind.String => "text",
        JsonValueKind.Number => "number",
        JsonValueKind.True or JsonValueKind.False => "flag",
        JsonValueKind.Array => "list",
        JsonValueKind.Object => "object",
        _ => "null",
    };
}
