using System.Threading.Channels;

namespace Gatehouse.Projection;

/// <summary>Tells one waiting worker that there is something to do. Any number of signals before it looks are one.</summary>
public sealed class FeedSignal
{
    private readonly Channel<bool> raised = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Asks for a look.</summary>
    public void Raise() => raised.Writer.TryWrite(true);

    /// <summary>Waits until a look is asked for.</summary>
    public async Task Wait(CancellationToken ct) => await raised.Reader.ReadAsync(ct);
}
