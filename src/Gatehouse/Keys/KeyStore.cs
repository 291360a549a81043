using Gatehouse.Storage;

namespace Gatehouse.Keys;

/// <summary>A row of <c>keys</c>; times are Unix milliseconds, 0 where it has not happened yet.</summary>
internal sealed record KeyRow(
    long Number,
    KeyUse Use,
    KeyState State,
    byte[] PublicKey,
    byte[] SealedKey,
    long PublishedAt,
    long ActivatedAt,
    long RetiredAt)
{
    // A restored backup may bring another key under a known number, so the number alone does not tell.
    public bool IsSameKey(KeyRow other) => Number == other.Number && Use == other.Use && SealedKey.AsSpan().SequenceEqual(other.SealedKey);

    public KeyInfo Info(string kid) => new(Number, kid, Use, State, PublishedAt, ActivatedAt, RetiredAt);
}

/// <summary>Why a key is asked to give way.</summary>
internal enum RotationCause
{
    Age,
    Operator,
    Emergency,
}

/// <summary>The keys in the database, and the statements that move them through their lives (decision 0004).</summary>
internal sealed class KeyStore(Database db, MasterKey master, Randomness random, TimeProvider time, KeyOptions options)
{
    /// <summary>How long a key is published before it is used, so that everyone who caches the JWKS has it by then.</summary>
    public static readonly TimeSpan PublishedBeforeUse = TimeSpan.FromHours(1);

    /// <summary>How long a process that has not yet heard of a rotation may go on with the retired key.</summary>
    public static readonly TimeSpan Lag = TimeSpan.FromMinutes(5);

    private static readonly Sql SelectAll = new("""
        SELECT key_number, key_use, key_state, public_key, sealed_key, published_at, activated_at, retired_at
        FROM keys ORDER BY key_number
        """);

    private static readonly Sql Insert = new("""
        INSERT INTO keys (key_number, key_use, key_state, public_key, sealed_key, published_at, activated_at, retired_at)
        VALUES (@number, @use, @state, @public, @sealed, @published, @activated, 0)
        ON CONFLICT DO NOTHING
        """);

    // The one row that never changes serves as the lock of all rotations; SQLite has no SELECT … FOR UPDATE.
    private static readonly Sql LockKeys = new("UPDATE keys SET key_state = key_state WHERE key_use = 'secret'");

    private static readonly Sql Retire = new("""
        UPDATE keys SET key_state = 'retired', retired_at = @now WHERE key_number = @number AND key_state = 'current'
        """);

    private static readonly Sql Promote = new("""
        UPDATE keys SET key_state = 'current', activated_at = @now WHERE key_number = @number AND key_state = 'next'
        """);

    private static readonly Sql DeleteSigning = new("""
        DELETE FROM keys WHERE key_use = 'signing' AND key_state = 'retired' AND retired_at <= @before
        """);

    private static readonly Sql DeleteRefresh = new("""
        DELETE FROM keys WHERE key_use = 'refresh' AND key_state = 'retired' AND retired_at <= @before
        AND NOT EXISTS (
            SELECT 1 FROM sessions WHERE refresh_key = key_number AND session_status = 'active' AND absolute_until > @now)
        """);

    private static readonly Sql DeleteRetired = new("DELETE FROM keys WHERE key_number = @number AND key_state = 'retired'");

    private static readonly Sql CountAll = new("SELECT count(*) FROM keys");

    public static async Task<bool> Any(Database db, CancellationToken ct) => await db.QueryOne(CountAll, row => row.Long(0), ct) > 0;

    public Task<IReadOnlyList<KeyRow>> Read(CancellationToken ct) => db.Query(SelectAll, ReadRow, ct);

    /// <summary>Makes the first set. The fixed numbers let exactly one of several processes succeed, with all of it.</summary>
    public Task CreateFirst(CancellationToken ct)
    {
        var batch = new Batch();
        AddKey(batch, 1, KeyUse.Signing, KeyState.Current);
        AddKey(batch, 2, KeyUse.Signing, KeyState.Next);
        AddKey(batch, 3, KeyUse.Refresh, KeyState.Current);
        AddKey(batch, 4, KeyUse.Refresh, KeyState.Next);
        AddKey(batch, 5, KeyUse.Secret, KeyState.Current);
        return db.Run(batch, ct);
    }

    /// <summary>Whether the key's age alone calls for a rotation now.</summary>
    public bool IsDue(IReadOnlyList<KeyRow> rows, KeyUse use) => Judge(rows, use, RotationCause.Age) is null;

    /// <summary>Current → retired, next → current, and a new next, in one transaction; or says why not.</summary>
    public Task<Rotation> Rotate(KeyUse use, RotationCause cause, CancellationToken ct) => db.InTransaction(
        async statements =>
        {
            await statements.Execute(LockKeys, ct);
            var rows = await statements.Query(SelectAll, ReadRow, ct);
            if (Judge(rows, use, cause) is { } refusal)
            {
                return refusal;
            }

            var retired = Find(rows, use, KeyState.Current).Number;
            var current = Find(rows, use, KeyState.Next).Number;
            var next = rows.Max(row => row.Number) + 1;
            var batch = new Batch()
                .Add(Retire, ("number", retired), ("now", time.Now()))
                .Add(Promote, ("number", current), ("now", time.Now()));
            AddKey(batch, next, use, KeyState.Next);
            await statements.Run(batch, ct);
            return new Rotation.Rotated(retired, current, next);
        },
        ct);

    /// <summary>Deletes signing keys whose last token has expired.</summary>
    public Task DeleteSpentSigning(CancellationToken ct) =>
        db.Execute(DeleteSigning, ct, ("before", time.Now() - SigningLinger.Milliseconds()));

    public bool HasSpentSigning(IReadOnlyList<KeyRow> rows) => rows.Any(row =>
        row is { Use: KeyUse.Signing, State: KeyState.Retired } && row.RetiredAt <= time.Now() - SigningLinger.Milliseconds());

    /// <summary>Deletes retired refresh keys that no live session names.</summary>
    public Task DeleteSpentRefresh(CancellationToken ct) =>
        db.Execute(DeleteRefresh, ct, ("before", time.Now() - Lag.Milliseconds()), ("now", time.Now()));

    /// <summary>Deletes a retired key whatever still depends on it.</summary>
    public async Task<bool> Delete(long number, CancellationToken ct) => await db.Execute(DeleteRetired, ct, ("number", number)) > 0;

    public static string Text(KeyUse use) => use switch
    {
        KeyUse.Signing => "signing",
        KeyUse.Refresh => "refresh",
        _ => "secret",
    };

    private TimeSpan SigningLinger => options.LongestToken + Lag;

    private static string Text(KeyState state) => state switch
    {
        KeyState.Next => "next",
        KeyState.Current => "current",
        _ => "retired",
    };

    private static KeyRow ReadRow(Row row) => new(
        row.Long(0),
        row.Text(1) switch
        {
            "signing" => KeyUse.Signing,
            "refresh" => KeyUse.Refresh,
            "secret" => KeyUse.Secret,
            var use => throw new KeyException($"The database holds a key for an unknown use: {use}."),
        },
        row.Text(2) switch
        {
            "next" => KeyState.Next,
            "current" => KeyState.Current,
            "retired" => KeyState.Retired,
            var state => throw new KeyException($"The database holds a key in an unknown state: {state}."),
        },
        row.Bytes(3),
        row.Bytes(4),
        row.Long(5),
        row.Long(6),
        row.Long(7));

    private static KeyRow Find(IReadOnlyList<KeyRow> rows, KeyUse use, KeyState state) =>
        rows.FirstOrDefault(row => row.Use == use && row.State == state)
        ?? throw new KeyException($"The database has no {Text(state)} key for {Text(use)}.");

    private Rotation? Judge(IReadOnlyList<KeyRow> rows, KeyUse use, RotationCause cause)
    {
        var life = use == KeyUse.Signing ? options.SigningKeyLife : options.RefreshKeyLife;
        if (cause == RotationCause.Age && time.Now() < Find(rows, use, KeyState.Current).ActivatedAt + life.Milliseconds())
        {
            return new Rotation.NotDue();
        }

        var possibleFrom = Find(rows, use, KeyState.Next).PublishedAt + PublishedBeforeUse.Milliseconds();
        return cause != RotationCause.Emergency && time.Now() < possibleFrom ? new Rotation.TooEarly(possibleFrom) : null;
    }

    private void AddKey(Batch batch, long number, KeyUse use, KeyState state)
    {
        var (plain, publicKey) = use == KeyUse.Signing ? SigningKey.Generate() : (random.Bytes(32), []);
        batch.Add(
            Insert,
            ("number", number),
            ("use", Text(use)),
            ("state", Text(state)),
            ("public", publicKey),
            ("sealed", master.Seal(use, number, plain, random)),
            ("published", time.Now()),
            ("activated", state == KeyState.Current ? time.Now() : 0));
    }
}
