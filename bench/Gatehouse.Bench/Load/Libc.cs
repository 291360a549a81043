using System.Runtime.InteropServices;

namespace Gatehouse.Bench.Load;

/// <summary>The system calls that make a generator cheap: one thread, no callbacks, no buffers but our own.</summary>
internal static partial class Libc
{
    public const short Readable = 0x001;
    public const int DontWait = 0x40;
    public const int NoSignal = 0x4000;
    public const int Terminate = 15;

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(Span<PollEntry> entries, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    public static partial nint Receive(int socket, Span<byte> buffer, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    public static partial nint Send(int socket, ReadOnlySpan<byte> bytes, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int process, int signal);
}

/// <summary><c>struct pollfd</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollEntry
{
    public int Socket;
    public short Wanted;
    public short Seen;
}
