namespace Gatehouse.Projection;

/// <summary>
/// How old this process's view of sessions may be. Age is the larger of what the monotonic and the wall clock say, so that neither a
/// machine that slept nor a clock that was set back makes an old view look fresh.
/// </summary>
public sealed class FeedView(TimeProvider time, ProjectionOptions options)
{
    private readonly long allowed = options.MaxStaleness.Milliseconds();
    private Moment proven = new(time.GetTimestamp(), time.Now());

    /// <summary>How long ago the last proven read began.</summary>
    public TimeSpan Age
    {
        get
        {
            var at = Volatile.Read(ref proven);
            var wall = TimeSpan.FromMilliseconds(time.Now() - at.Wall);
            var monotonic = time.GetElapsedTime(at.Monotonic);
            return wall > monotonic ? wall : monotonic;
        }
    }

    /// <summary>Whether decisions must be asked of the store, one by one.</summary>
    public bool IsStale => Age.Milliseconds() > allowed;

    /// <summary>The moment at which a read begins; what it brings is as old as this.</summary>
    internal Moment Now => new(time.GetTimestamp(), time.Now());

    /// <summary>A read that began at this moment was proven to be current.</summary>
    internal void Prove(Moment began) => Volatile.Write(ref proven, began);

    internal sealed record Moment(long Monotonic, long Wall);
}
