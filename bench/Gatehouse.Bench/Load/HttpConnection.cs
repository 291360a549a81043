using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;

namespace Gatehouse.Bench.Load;

/// <summary>One answer; valid until the connection reads again.</summary>
internal readonly ref struct HttpAnswer(int status, ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
{
    public int Status { get; } = status;

    public ReadOnlySpan<byte> Head { get; } = head;

    public ReadOnlySpan<byte> Body { get; } = body;
}

/// <summary>
/// A keep-alive connection on loopback that knows as much of HTTP/1.1 as our answers need: a status, a Content-Length, a body. Whatever
/// else arrives is an error, not a slow path.
/// </summary>
internal sealed class HttpConnection : IDisposable
{
    private readonly Socket socket;
    private readonly byte[] buffer = new byte[256 * 1024];
    private int filled;
    private int consumed;

    public HttpConnection(int port)
    {
        socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(IPAddress.Loopback, port);
        Handle = (int)socket.SafeHandle.DangerousGetHandle();
    }

    public int Handle { get; }

    public void Send(ReadOnlySpan<byte> request)
    {
        while (request.Length > 0)
        {
            var sent = (int)Libc.Send(Handle, request, (nuint)request.Length, Libc.NoSignal);
            if (sent <= 0)
                throw new IOException("The server closed the connection while a request was being sent.");
            request = request[sent..];
        }
    }

    /// <summary>Reads what has arrived; false when that is not a whole answer yet.</summary>
    public bool TryRead(out HttpAnswer answer)
    {
        // Closed loop: one request at a time, so whatever was consumed was the whole of the last answer.
        if (consumed > 0)
            filled = consumed = 0;
        var read = (int)Libc.Receive(Handle, buffer.AsSpan(filled), (nuint)(buffer.Length - filled), Libc.DontWait);
        if (read <= 0)
            throw new IOException("The server closed the connection.");
        filled += read;
        answer = default;
        var all = buffer.AsSpan(0, filled);
        var end = all.IndexOf("\r\n\r\n"u8);
        if (end < 0)
            return false;
        var head = all[..(end + 2)];
        var status = ((head[9] - '0') * 100) + ((head[10] - '0') * 10) + head[11] - '0';
        var length = ContentLength(head, status);
        if (filled < end + 4 + length)
            return false;
        consumed = end + 4 + length;
        answer = new HttpAnswer(status, head, all.Slice(end + 4, length));
        return true;
    }

    /// <summary>Sends a request and waits for its answer.</summary>
    public HttpAnswer Exchange(ReadOnlySpan<byte> request)
    {
        Send(request);
        Span<PollEntry> entry = [new PollEntry { Socket = Handle, Wanted = Libc.Readable }];
        while (true)
        {
            if (Libc.Poll(entry, 1, 30_000) == 0)
                throw new TimeoutException("No answer within half a minute.");
            if (TryRead(out var answer))
                return answer;
        }
    }

    public void Dispose() => socket.Dispose();

    private static int ContentLength(ReadOnlySpan<byte> head, int status)
    {
        var name = "\r\nContent-Length: "u8;
        var at = head.IndexOf(name);
        if (at >= 0 && Utf8Parser.TryParse(head[(at + name.Length)..], out int length, out _))
            return length;
        return status is 204 or 304 ? 0 : throw new InvalidDataException("An answer without Content-Length.");
    }
}
