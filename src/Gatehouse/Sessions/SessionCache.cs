using System.Collections.Concurrent;
using Gatehouse.Projection;
using Gatehouse.Storage;

namespace Gatehouse.Sessions;

/// <summary>
/// What this process knows of sessions: a read-through cache that changes are applied to, so that a check costs a look-up and a
/// revoked session stops at once. A read that is under way cannot undo a change that arrives meanwhile: it holds a
/// placeholder, changes apply to the placeholder, and the row that was read is merged by version.
/// </summary>
public sealed class SessionCache(SessionStore store, FeedView view, TimeProvider time, SessionOptions options)
{
    private const long UnknownFor = 1000;
    private const int UnknownLimit = 4096;
    private const int AskedAtOnce = 64;

    private readonly ConcurrentDictionary<Guid, Entry> entries = new();

    // Ids that name no session, kept apart so that invented ids push out nothing. Value: until when the answer holds.
    private readonly ConcurrentDictionary<Guid, long> unknown = new();
    private int arrivals;
    private int asked;

    // Questions to the store that a stale view makes necessary; requests about one session share one.
    private readonly ConcurrentDictionary<Guid, Task<SessionSnapshot?>> asking = new();

    /// <summary>The number of sessions held.</summary>
    public int Count => entries.Count;

    /// <summary>The session's newest snapshot known here; null when there is no such session.</summary>
    public ValueTask<SessionSnapshot?> Get(Guid sessionId, CancellationToken ct)
    {
        if (view.IsStale)
        {
            return new ValueTask<SessionSnapshot?>(Ask(sessionId).WaitAsync(ct));
        }

        return entries.TryGetValue(sessionId, out var entry) && entry.Current is { } snapshot
            ? new ValueTask<SessionSnapshot?>(snapshot)
            : new ValueTask<SessionSnapshot?>(Load(sessionId, ct));
    }

    /// <summary>Applies a change that is durable. Order does not matter.</summary>
    public void Apply(SessionSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        if (entries.TryGetValue(snapshot.SessionId, out var entry))
        {
            entry.Merge(snapshot);
        }

        unknown.TryRemove(snapshot.SessionId, out _);
    }

    /// <summary>
    /// Takes the place of a session before it is opened, so that a change is applied here even when it is heard of sooner than
    /// the opening itself.
    /// </summary>
    public void Expect(Guid sessionId) => entries.TryAdd(sessionId, new Entry());

    /// <summary>Fills the place of a session that was opened, because its next request is on its way here.</summary>
    public void Keep(SessionSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);

        // After a gap in the feed the place stays empty, and the next check reads the store.
        if (entries.TryGetValue(snapshot.SessionId, out var entry) && entry.Merge(snapshot, attempt: 0))
        {
            Trim();
        }
    }

    /// <summary>Gives up a place that was taken and is still empty.</summary>
    public void StopExpecting(Guid sessionId)
    {
        if (entries.TryGetValue(sessionId, out var entry))
        {
            Abandon(sessionId, entry);
        }
    }

    /// <summary>Forgets everything, as after a gap in the feed; checks read the store again.</summary>
    public void Clear()
    {
        // A placeholder stays: its read may have begun before the gap, and only its reader may finish it. Marked, it reads again.
        foreach (var (sessionId, entry) in entries)
        {
            if (!entry.Restart())
            {
                entries.TryRemove(new KeyValuePair<Guid, Entry>(sessionId, entry));
            }
        }

        unknown.Clear();
    }

    private async Task<SessionSnapshot?> Load(Guid sessionId, CancellationToken ct)
    {
        var now = time.Now();
        if (unknown.TryGetValue(sessionId, out var until) && now < until)
        {
            return null;
        }

        var entry = entries.GetOrAdd(sessionId, static _ => new Entry());
        while (true)
        {
            var attempt = entry.Attempt;
            SessionSnapshot? read;
            try
            {
                read = await store.Find(sessionId, ct);
            }
            catch
            {
                Abandon(sessionId, entry);
                throw;
            }

            if (read is not null)
            {
                if (!entry.Merge(read, attempt))
                {
                    continue;
                }

                Trim();
                return entry.Current;
            }

            if (entry.Attempt != attempt)
            {
                continue;
            }

            // Remembered before the placeholder goes, so that a change that arrives in between ends the memory.
            RememberUnknown(sessionId, now);
            Abandon(sessionId, entry);
            return entry.Current;
        }
    }

    /// <exception cref="DatabaseUnavailableException">The store cannot say, or too many ask at once: better no answer than an old one.</exception>
    private Task<SessionSnapshot?> Ask(Guid sessionId)
    {
        if (asking.TryGetValue(sessionId, out var shared))
        {
            return shared;
        }

        var mine = new TaskCompletionSource<SessionSnapshot?>(TaskCreationOptions.RunContinuationsAsynchronously);
        shared = asking.GetOrAdd(sessionId, mine.Task);
        if (shared != mine.Task)
        {
            return shared;
        }

        if (Interlocked.Increment(ref asked) <= AskedAtOnce)
        {
            _ = AskStore(sessionId, mine);
        }
        else
        {
            mine.SetException(new DatabaseUnavailableException("The view of sessions is too old, and too many requests ask the store."));
            Answered(sessionId);
        }

        return mine.Task;
    }

    private async Task AskStore(Guid sessionId, TaskCompletionSource<SessionSnapshot?> mine)
    {
        try
        {
            var read = await store.Find(sessionId, CancellationToken.None);
            if (read is not null)
            {
                Apply(read);
            }

            mine.SetResult(read);
        }
        catch (Exception e)
        {
            mine.SetException(e);
        }
        finally
        {
            Answered(sessionId);
        }
    }

    private void Answered(Guid sessionId)
    {
        Interlocked.Decrement(ref asked);
        asking.TryRemove(sessionId, out _);
    }

    private void Abandon(Guid sessionId, Entry entry)
    {
        if (entry.Current is null)
        {
            entries.TryRemove(new KeyValuePair<Guid, Entry>(sessionId, entry));
        }
    }

    private void RememberUnknown(Guid sessionId, long now)
    {
        if (unknown.Count >= UnknownLimit)
        {
            unknown.Clear();
        }

        unknown[sessionId] = now + UnknownFor;
    }

    // Any session may go, since it is read again when it is used; a placeholder may not, since a change might be applied to it.
    // Counting takes every lock of the dictionary, so only each 256th arrival counts.
    private void Trim()
    {
        if ((Interlocked.Increment(ref arrivals) & 0xFF) != 0)
        {
            return;
        }

        var surplus = entries.Count - options.CacheCapacity;
        foreach (var pair in entries)
        {
            if (surplus <= 0)
            {
                return;
            }

            if (pair.Value.Current is not null && entries.TryRemove(pair))
            {
                surplus--;
            }
        }
    }

    private sealed class Entry
    {
        private readonly Lock gate = new();
        private volatile SessionSnapshot? current;
        private volatile int attempt;

        public SessionSnapshot? Current => current;

        public int Attempt => attempt;

        /// <summary>Takes over what was read, unless the read began before a <see cref="Restart"/>.</summary>
        public bool Merge(SessionSnapshot read, int attempt)
        {
            lock (gate)
            {
                if (this.attempt != attempt)
                {
                    return false;
                }

                Merge(read);
                return true;
            }
        }

        public void Merge(SessionSnapshot snapshot)
        {
            lock (gate)
            {
                if (current is null || current.IsSupersededBy(snapshot))
                {
                    current = snapshot;
                }
            }
        }

        /// <summary>Makes a read that is under way start again; false when there is none.</summary>
        public bool Restart()
        {
            lock (gate)
            {
                if (current is not null)
                {
                    return false;
                }

                attempt++;
                return true;
            }
        }
    }
}
