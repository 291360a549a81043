using Gatehouse.Storage;

namespace Gatehouse.Keys;

/// <summary>
/// The keys of the deployment: opened from the database under the master key, and held as one immutable set that is exchanged
/// as a whole (decision 0004).
/// </summary>
public sealed class KeyRing
{
    private static readonly TimeSpan ReloadInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RefreshSweepInterval = TimeSpan.FromHours(1);

    private static readonly KeyUse[] Rotating = [KeyUse.Signing, KeyUse.Refresh];

    private readonly KeyStore store;
    private readonly MasterKey master;
    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private volatile KeySet current;
    private long loadsStarted;
    private long loadInstalled;
    private Task? reload;
    private long reloadStarted;
    private long refreshSwept;

    private KeyRing(KeyStore store, MasterKey master, TimeProvider time, KeySet first)
    {
        this.store = store;
        this.master = master;
        this.time = time;
        current = first;
        refreshSwept = time.GetTimestamp();
    }

    /// <summary>The keys now. Take it once per request.</summary>
    public KeySet Current => current;

    /// <summary>Whether the database holds keys, so that a missing master key must not be replaced by a new one.</summary>
    public static Task<bool> HasKeys(Database db, CancellationToken ct) => KeyStore.Any(db, ct);

    /// <summary>Opens all keys, or makes the first set; <see cref="KeyException"/> when there are keys that do not open.</summary>
    public static async Task<KeyRing> Open(
        Database db, MasterKey master, Randomness random, TimeProvider time, KeyOptions options, CancellationToken ct)
    {
        var keys = new KeyStore(db, master, random, time, options);
        var rows = await keys.Read(ct);
        if (rows.Count == 0)
        {
            await keys.CreateFirst(ct);
            rows = await keys.Read(ct);
        }

        return new KeyRing(keys, master, time, KeySet.Open(rows, earlier: null, master));
    }

    /// <summary>Every key, for an operator.</summary>
    public IReadOnlyList<KeyInfo> List() => current.List();

    /// <summary>Takes over what other processes changed.</summary>
    public async Task Reload(CancellationToken ct)
    {
        var load = Interlocked.Increment(ref loadsStarted);
        var rows = await store.Read(ct);
        lock (gate)
        {
            // Of two loads that overlap, the one that began later has seen at least as much.
            if (load > loadInstalled)
            {
                current = KeySet.Open(rows, current, master);
                loadInstalled = load;
            }
        }
    }

    /// <summary>
    /// Reloads because a token names a key that is not here; at most once per second however many ask, all of whom share it.
    /// False when the last reload is too recent for another; check the token again in either case.
    /// </summary>
    public async Task<bool> ReloadForUnknownKid(CancellationToken ct)
    {
        Task shared;
        bool isFresh;
        lock (gate)
        {
            isFresh = reload is not { IsCompleted: true } || time.GetElapsedTime(reloadStarted) >= ReloadInterval;
            if (reload is null || (reload.IsCompleted && isFresh))
            {
                reloadStarted = time.GetTimestamp();

                // No caller's own token: whoever gives up must not fail the others.
                reload = Task.Run(() => Reload(CancellationToken.None), CancellationToken.None);
            }

            shared = reload;
        }

        // A recent failure is everyone's: without the store, "unknown" would be a guess.
        await shared.WaitAsync(ct);
        return isFresh;
    }

    /// <summary>Once a minute: rotates what is due, deletes what is spent, and takes over what others changed.</summary>
    public async Task Maintain(CancellationToken ct)
    {
        var rows = await store.Read(ct);
        foreach (var use in Rotating)
        {
            if (store.IsDue(rows, use))
            {
                await store.Rotate(use, RotationCause.Age, ct);
            }
        }

        if (store.HasSpentSigning(rows))
        {
            await store.DeleteSpentSigning(ct);
        }

        // This one looks through all sessions, and a spent refresh key is in nobody's way.
        var isSweepDue = time.GetElapsedTime(refreshSwept) >= RefreshSweepInterval;
        if (isSweepDue && rows.Any(row => row is { Use: KeyUse.Refresh, State: KeyState.Retired }))
        {
            // Noted first: a sweep that fails for its size must not be tried every minute.
            refreshSwept = time.GetTimestamp();
            await store.DeleteSpentRefresh(ct);
        }

        await Reload(ct);
    }

    /// <summary>
    /// Rotates the signing or the refresh key because an operator says so. Without <paramref name="now"/> it refuses while the next
    /// key has been published for less than an hour; with it, verifiers that cache the JWKS may briefly refuse new tokens.
    /// </summary>
    public async Task<Rotation> Rotate(KeyUse use, bool now, CancellationToken ct)
    {
        if (use == KeyUse.Secret)
        {
            throw new ArgumentException("The secret key does not rotate: what was derived from it must stay readable.", nameof(use));
        }

        var outcome = await store.Rotate(use, now ? RotationCause.Emergency : RotationCause.Operator, ct);
        await Reload(ct);
        return outcome;
    }

    /// <summary>
    /// Deletes a retired key at once, after a compromise: everything made with it dies here now, and elsewhere at the next
    /// <see cref="Maintain"/>. False when the number names no retired key.
    /// </summary>
    public async Task<bool> Discard(long number, CancellationToken ct)
    {
        var isDeleted = await store.Delete(number, ct);
        await Reload(ct);
        return isDeleted;
    }
}
