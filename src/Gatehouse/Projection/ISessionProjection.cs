using Gatehouse.Sessions;
using Gatehouse.Storage;

namespace Gatehouse.Projection;

/// <summary>Where snapshots go so that every gateway learns of them: a feed in the store itself, or one in a database of its own.</summary>
public interface ISessionProjection
{
    /// <summary>The database whose feed is followed.</summary>
    Database Feed { get; }

    /// <summary>Whether a snapshot is published with the transaction of its change, so that nothing is ever behind.</summary>
    bool IsTransactional { get; }

    /// <summary>Publishes with the change, in its own transaction, where the feed can take part in it.</summary>
    void Stage(Batch change, SessionSnapshot snapshot, long now);

    /// <summary>Publishes after the change is stored, where the feed could not take part in it.</summary>
    /// <exception cref="DatabaseUnavailableException">The feed cannot be reached; the change is stored all the same.</exception>
    Task Publish(IReadOnlyList<SessionSnapshot> snapshots, CancellationToken ct);
}

/// <summary>The feed is a table of the store: a snapshot is published exactly when its change commits.</summary>
public sealed class StoreProjection(Database store) : ISessionProjection
{
    internal static readonly Sql Insert =
        new("INSERT INTO session_feed (feed_session_id, feed_snapshot, feed_at) VALUES (@session, @snapshot, @now)");

    /// <inheritdoc/>
    public Database Feed => store;

    /// <inheritdoc/>
    public bool IsTransactional => true;

    /// <inheritdoc/>
    public void Stage(Batch change, SessionSnapshot snapshot, long now)
    {
        ArgumentNullException.ThrowIfNull(change);
        ArgumentNullException.ThrowIfNull(snapshot);
        change.Add(Insert, ("session", snapshot.SessionId), ("snapshot", snapshot.ToJson()), ("now", now));
    }

    /// <inheritdoc/>
    public Task Publish(IReadOnlyList<SessionSnapshot> snapshots, CancellationToken ct) => Task.CompletedTask;
}

/// <summary>
/// The feed is in a database of its own. It is written after the store; what it has is noted on the session's row, so that the
/// repairer finds what it lacks.
/// </summary>
public sealed class SeparateProjection(Database store, Database feed, TimeProvider time) : ISessionProjection
{
    private static readonly Sql Note = new("UPDATE sessions SET published_version = @version WHERE session_id = @session AND published_version < @version");

    /// <inheritdoc/>
    public Database Feed => feed;

    /// <inheritdoc/>
    public bool IsTransactional => false;

    /// <inheritdoc/>
    public void Stage(Batch change, SessionSnapshot snapshot, long now)
    {
    }

    /// <inheritdoc/>
    public async Task Publish(IReadOnlyList<SessionSnapshot> snapshots, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(snapshots);
        if (snapshots.Count == 0)
        {
            return;
        }

        var (rows, notes, now) = (new Batch(), new Batch(), time.Now());
        foreach (var snapshot in snapshots)
        {
            rows.Add(StoreProjection.Insert, ("session", snapshot.SessionId), ("snapshot", snapshot.ToJson()), ("now", now));
            notes.Add(Note, ("session", snapshot.SessionId), ("version", snapshot.Version));
        }

        await feed.Run(rows, ct);
        await store.Run(notes, ct);
    }
}
