using System.Diagnostics;

namespace Gatehouse.Bench.Load;

/// <summary>A connection with its caller, and what they measured.</summary>
internal sealed class Station(HttpConnection connection, IClient client)
{
    private long sentAt;
    private bool isWaiting;

    public List<long> Latencies { get; } = new(1 << 16);

    public long Errors { get; private set; }

    public int Socket => connection.Handle;

    public bool IsWaiting => isWaiting;

    public void Clear()
    {
        Latencies.Clear();
        Errors = 0;
    }

    public void Send()
    {
        sentAt = Stopwatch.GetTimestamp();
        isWaiting = true;
        connection.Send(client.Next());
    }

    /// <summary>Reads; true when the answer is complete and the station is free for its next request.</summary>
    public bool TryReceive(bool record)
    {
        if (!connection.TryRead(out var answer))
            return false;
        isWaiting = false;
        var isRight = client.Accept(answer);
        if (record && isRight)
            Latencies.Add(Stopwatch.GetTimestamp() - sentAt);
        else if (!isRight)
            Errors++;
        return true;
    }
}

/// <summary>
/// The closed loop: each station sends its next request when its last one is answered. One thread, no locks; it sleeps in
/// <c>poll</c> while every station waits.
/// </summary>
internal sealed class Generator(IReadOnlyList<Station> stations)
{
    private readonly PollEntry[] entries = [.. stations.Select(s => new PollEntry { Socket = s.Socket, Wanted = Libc.Readable })];

    /// <summary>
    /// Runs in, measures for the time of the window, and lets what is under way finish. The two callbacks are called at the edges of
    /// the window; the time they take does not count.
    /// </summary>
    public TimeSpan Run(TimeSpan runIn, TimeSpan window, Action opened, Action closed)
    {
        foreach (var station in stations)
        {
            station.Clear();
            station.Send();
        }

        Loop(runIn, record: false);
        opened();
        var start = Stopwatch.GetTimestamp();
        Loop(window, record: true);
        var took = Stopwatch.GetElapsedTime(start);
        closed();
        Drain();
        return took;
    }

    private void Loop(TimeSpan time, bool record)
    {
        var end = Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency);
        while (end - Stopwatch.GetTimestamp() is var left and > 0)
            Turn((int)Math.Max(1, left * 1000 / Stopwatch.Frequency), record, goOn: true);
    }

    private void Drain()
    {
        var start = Stopwatch.GetTimestamp();
        while (stations.Any(s => s.IsWaiting))
        {
            if (Stopwatch.GetElapsedTime(start) > TimeSpan.FromSeconds(30))
                throw new TimeoutException("Requests were left without an answer.");
            Turn(1000, record: false, goOn: false);
        }
    }

    private void Turn(int milliseconds, bool record, bool goOn)
    {
        var ready = Libc.Poll(entries, (nuint)entries.Length, milliseconds);
        for (var i = 0; i < entries.Length && ready > 0; i++)
        {
            if (entries[i].Seen == 0)
                continue;
            ready--;
            if (stations[i].TryReceive(record) && goOn)
                stations[i].Send();
        }
    }
}
