using Gatehouse.Sessions;
using Gatehouse.Storage;

namespace Gatehouse.Projection;

/// <summary>The one way a changed session becomes known: with its transaction or right after it, to the feed and to this process.</summary>
public sealed class SessionPublisher(ISessionProjection projection, SessionCache cache, FeedWakeUp wakeUp, TimeProvider time)
{
    /// <summary>What a new row notes as published: its version where that commits with it, otherwise nothing yet.</summary>
    public long PublishedAtBirth(long version) => projection.IsTransactional ? version : 0;

    /// <summary>Adds the snapshot to the transaction of its change.</summary>
    public void Stage(Batch change, SessionSnapshot snapshot) => projection.Stage(change, snapshot, time.Now());

    /// <summary>
    /// Tells what is stored by now. This process learns it even when the feed cannot be reached: a revoked session must not live on
    /// here because a message about it failed.
    /// </summary>
    public async Task Release(IReadOnlyList<SessionSnapshot> snapshots)
    {
        ArgumentNullException.ThrowIfNull(snapshots);
        foreach (var snapshot in snapshots)
        {
            cache.Apply(snapshot);
        }

        await Publish(snapshots);
    }

    /// <summary>The same for a session that was opened, with those that made room for it.</summary>
    public async Task ReleaseOpened(SessionSnapshot opened, IReadOnlyList<SessionSnapshot> ended)
    {
        ArgumentNullException.ThrowIfNull(ended);
        foreach (var snapshot in ended)
        {
            cache.Apply(snapshot);
        }

        // Not applied: after a gap in the feed it may have been ended unheard, and then the next check reads the store.
        cache.Keep(opened);
        await Publish([opened, .. ended]);
    }

    // The change is stored, so a caller who hangs up must not keep others from hearing of it.
    private async Task Publish(IReadOnlyList<SessionSnapshot> snapshots)
    {
        await projection.Publish(snapshots, CancellationToken.None);
        wakeUp.Tell();
    }

    /// <summary>Publishes a stored session once more, for a request that is repeated because publishing may have failed.</summary>
    public async Task Republish(SessionSnapshot stored, CancellationToken ct)
    {
        if (projection.IsTransactional)
        {
            var batch = new Batch();
            projection.Stage(batch, stored, time.Now());
            await projection.Feed.Run(batch, ct);
        }

        await Release([stored]);
    }
}
