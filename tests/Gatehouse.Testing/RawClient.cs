using System.Net.Sockets;
using System.Text;

namespace Gatehouse.Testing;

/// <summary>Sends requests byte by byte as they are written, for what a well-behaved client would refuse to send.</summary>
public sealed class RawClient(Uri url) : IDisposable
{
    private readonly TcpClient tcp = new(url.Host, url.Port);

    /// <summary>Posts JSON with further header lines.</summary>
    public Task<string> Post(string path, string json, params string[] headers) => Send(
        $"POST {path} HTTP/1.1",
        [$"Content-Type: application/json", $"Content-Length: {Encoding.UTF8.GetByteCount(json)}", .. headers],
        json);

    /// <summary>Sends a request and reads all of the answer: status line, headers and body.</summary>
    public async Task<string> Send(string requestLine, string[] headers, string body = "")
    {
        var stream = tcp.GetStream();
        string[] lines = [requestLine, $"Host: {url.Authority}", "Connection: close", .. headers, "", body];
        await stream.WriteAsync(Encoding.UTF8.GetBytes(string.Join("\r\n", lines)));
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }

    public void Dispose() => tcp.Dispose();
}
