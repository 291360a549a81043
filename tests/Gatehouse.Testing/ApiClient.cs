using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Gatehouse.Testing;

/// <summary>An answer as a tester sees it: status, headers, and the body as text and JSON.</summary>
public sealed record Answer(HttpStatusCode Status, HttpResponseHeaders Headers, HttpContentHeaders ContentHeaders, string Text)
{
    public int Code => (int)Status;

    /// <summary>The body as JSON; fails the test when it is none.</summary>
    public JsonElement Json => JsonDocument.Parse(Text).RootElement;

    /// <summary>The <c>error.code</c> of the envelope.</summary>
    public string? ErrorCode => Json.GetProperty("error").GetProperty("code").GetString();

    /// <summary>A text member of the body.</summary>
    public string this[string member] => Json.GetProperty(member).ToString();

    /// <summary>A header, or null.</summary>
    public string? Header(string name) =>
        Headers.TryGetValues(name, out var values) || ContentHeaders.TryGetValues(name, out values) ? string.Join(", ", values) : null;
}

/// <summary>Talks to a server over real sockets.</summary>
public sealed class ApiClient : IDisposable
{
    public const string DemoPassword = "SecureP@ssw0rd123";
    public const string John = "john.doe@example.com";
    public const string Jane = "jane.roe@example.com";

    private readonly HttpClient http;

    public ApiClient(Uri url, string? from = null)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8,
            Expect100ContinueTimeout = TimeSpan.FromSeconds(30),
        };
        http = new HttpClient(handler) { BaseAddress = url };
        if (from is not null)
        {
            http.DefaultRequestHeaders.Add("X-Forwarded-For", from);
        }
    }

    /// <summary>The bearer token of requests that bring none of their own.</summary>
    public string? Bearer { get; init; }

    /// <summary>Sends a request; a body that is a string goes out as it is, anything else as JSON.</summary>
    public async Task<Answer> Send(
        HttpMethod method, string path, object? body = null, string? bearer = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is HttpContent content)
        {
            request.Content = content;
        }
        else if (body is not null)
        {
            request.Content = new StringContent(body as string ?? JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        }

        if ((bearer ?? Bearer) is { } token)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await http.SendAsync(request);
        return new Answer(response.StatusCode, response.Headers, response.Content.Headers, await response.Content.ReadAsStringAsync());
    }

    public Task<Answer> Get(string path, string? bearer = null, params (string Name, string Value)[] headers) =>
        Send(HttpMethod.Get, path, null, bearer, headers);

    public Task<Answer> Post(string path, object? body = null, string? bearer = null, params (string Name, string Value)[] headers) =>
        Send(HttpMethod.Post, path, body, bearer, headers);

    /// <summary>Signs in on the Portal surface.</summary>
    public Task<Answer> Login(string email = John, string password = DemoPassword, params (string Name, string Value)[] headers) =>
        Post("/api/v1/auth/login", new { email, password }, headers: headers);

    /// <summary>Refreshes on the Portal surface.</summary>
    public Task<Answer> Refresh(string refreshToken, params (string Name, string Value)[] headers) =>
        Post("/api/v1/auth/refresh", new { refreshToken }, headers: headers);

    public void Dispose() => http.Dispose();
}
