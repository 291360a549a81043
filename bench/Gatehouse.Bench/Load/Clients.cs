using System.Text;

namespace Gatehouse.Bench.Load;

/// <summary>One caller in a closed loop: what it asks, and whether the answer is the one it came for.</summary>
internal interface IClient
{
    /// <summary>The bytes of the next request.</summary>
    ReadOnlySpan<byte> Next();

    /// <summary>Looks at the answer; false counts as an error.</summary>
    bool Accept(in HttpAnswer answer);
}

/// <summary>Asks the same thing again and again.</summary>
internal sealed class RepeatingClient(byte[] request, int expected) : IClient
{
    public ReadOnlySpan<byte> Next() => request;

    public bool Accept(in HttpAnswer answer) => answer.Status == expected;
}

/// <summary>Refreshes its sessions in turn, each with the token that the session's last answer brought.</summary>
internal sealed class RefreshingClient : IClient
{
    private static readonly byte[] Member = "\"refreshToken\":\""u8.ToArray();

    private readonly byte[][] tokens;
    private readonly byte[] request;
    private readonly int tokenAt;
    private int turn;

    public RefreshingClient(IReadOnlyList<string> tokens)
    {
        this.tokens = [.. tokens.Select(Encoding.ASCII.GetBytes)];
        request = Requests.Post("/api/v1/auth/refresh", $$"""{"refreshToken":"{{tokens[0]}}"}""");
        tokenAt = request.AsSpan().IndexOf(this.tokens[0]);
    }

    public ReadOnlySpan<byte> Next()
    {
        tokens[turn].CopyTo(request, tokenAt);
        return request;
    }

    public bool Accept(in HttpAnswer answer)
    {
        var token = tokens[turn];
        turn = (turn + 1) % tokens.Length;
        var at = answer.Body.IndexOf(Member);
        if (answer.Status != 200 || at < 0)
            return false;
        answer.Body.Slice(at + Member.Length, token.Length).CopyTo(token);
        return true;
    }
}

/// <summary>Requests as a proxy that ended TLS in front of the server would send them.</summary>
internal static class Requests
{
    private const string Common =
        "Host: auth.example.com\r\nUser-Agent: gatehouse-bench\r\nAccept: application/json\r\n"
        + "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n";

    public static byte[] Get(string path, string? bearer = null, string? ifNoneMatch = null)
    {
        var authorization = bearer is null ? "" : $"Authorization: Bearer {bearer}\r\n";
        var condition = ifNoneMatch is null ? "" : $"If-None-Match: {ifNoneMatch}\r\n";
        return Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\n{Common}{authorization}{condition}\r\n");
    }

    public static byte[] Post(string path, string json) => Encoding.UTF8.GetBytes(
        $"POST {path} HTTP/1.1\r\n{Common}Content-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(json)}\r\n\r\n{json}");
}
