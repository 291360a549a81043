using System.Security.Cryptography;
using System.Text;
using Gatehouse.Keys;
using Gatehouse.Storage;

namespace Gatehouse.Idempotency;

/// <summary>
/// Keeps the answers of writes for a day, so that a client that lost one can ask again. Key, effect and answer commit together:
/// a crash leaves all three or none, and there is no row that says "running".
/// </summary>
public sealed class IdempotencyStore(Database database, KeyRing keys, Randomness random, TimeProvider time)
{
    /// <summary>How long a key is remembered.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromHours(24);

    private static readonly Sql Find = new("SELECT once_body_hash, once_reply FROM idempotency WHERE once_id = @id AND once_at > @since");

    private static readonly Sql Insert = new("""
        INSERT INTO idempotency (once_id, once_body_hash, once_reply, once_at) VALUES (@id, @body, @reply, @now)
        ON CONFLICT (once_id) DO UPDATE SET once_body_hash = @body, once_reply = @reply, once_at = @now WHERE idempotency.once_at <= @since
        RETURNING once_id
        """);

    private static readonly Sql TryLock = new("SELECT CASE WHEN pg_try_advisory_xact_lock(@lock) THEN 1 ELSE 0 END");
    private static readonly Sql Purge = new("DELETE FROM idempotency WHERE once_at <= @since");

    /// <summary>Whether the write was done already.</summary>
    public Task<IdempotencyState> Look(IdempotentRequest request, CancellationToken ct) => LookIn(database, request, ct);

    /// <summary>Removes what is past its day.</summary>
    public Task<int> RemoveOld(CancellationToken ct) => database.Execute(Purge, ct, ("since", Since()));

    /// <summary>The first step of the write's transaction: nobody else is at work on this key, and nobody was before.</summary>
    /// <exception cref="IdempotencyConflictException">Somebody is, or was.</exception>
    internal async Task Claim(Statements tx, IdempotentRequest request, CancellationToken ct)
    {
        // SQLite has one writer, which is lock enough.
        if (database is PostgresDatabase)
        {
            var id = Convert.FromHexString(Id(request));
            var locked = await tx.QueryOne(TryLock, row => row.Flag(0), ct, ("lock", BitConverter.ToInt64(id)));
            if (!locked)
            {
                throw new IdempotencyConflictException(isDone: false);
            }
        }

        if (await LookIn(tx, request, ct) is not IdempotencyState.Unknown)
        {
            throw new IdempotencyConflictException(isDone: true);
        }
    }

    /// <summary>The last step: the answer, sealed.</summary>
    internal async Task Store(Statements tx, IdempotentRequest request, Reply reply, CancellationToken ct)
    {
        var stored = await tx.QueryOne(
            Insert,
            row => row.Text(0),
            ct,
            ("id", Id(request)),
            ("body", BodyHash(request)),
            ("reply", Seal(request, reply)),
            ("now", time.Now()),
            ("since", Since()));
        if (stored is null)
        {
            throw new IdempotencyConflictException(isDone: true);
        }
    }

    private async Task<IdempotencyState> LookIn(Statements statements, IdempotentRequest request, CancellationToken ct)
    {
        var row = await statements.QueryOne(
            Find, row => new Stored(row.Text(0), row.Bytes(1)), ct, ("id", Id(request)), ("since", Since()));
        return row switch
        {
            null => new IdempotencyState.Unknown(),
            _ when row.BodyHash != BodyHash(request) => new IdempotencyState.OtherBody(),
            _ => new IdempotencyState.Done(Unseal(request, row.Reply)),
        };
    }

    private long Since() => time.Now() - Kept.Milliseconds();

    private string Id(IdempotentRequest request) => Hash("idempotency-id", Encoding.UTF8.GetBytes($"{request.Scope}\n{request.Key}"));

    private string BodyHash(IdempotentRequest request) => Hash("idempotency-body", request.BodyHash);

    private string Hash(string purpose, byte[] data) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(keys.Current.Derive(purpose), data).AsSpan(0, 16));

    private byte[] Seal(IdempotentRequest request, Reply reply)
    {
        var plain = new byte[4 + reply.Body.Length];
        BitConverter.TryWriteBytes(plain, reply.Status);
        reply.Body.CopyTo(plain.AsSpan(4));
        var nonce = random.Bytes(AesGcm.NonceByteSizes.MaxSize);
        var result = new byte[nonce.Length + plain.Length + AesGcm.TagByteSizes.MaxSize];
        nonce.CopyTo(result, 0);
        using var aes = Cipher(request);
        aes.Encrypt(nonce, plain, result.AsSpan(nonce.Length, plain.Length), result.AsSpan(nonce.Length + plain.Length));
        return result;
    }

    private Reply Unseal(IdempotentRequest request, byte[] sealedReply)
    {
        var nonce = sealedReply.AsSpan(0, AesGcm.NonceByteSizes.MaxSize);
        var tag = sealedReply.AsSpan(sealedReply.Length - AesGcm.TagByteSizes.MaxSize);
        var plain = new byte[sealedReply.Length - nonce.Length - tag.Length];
        using var aes = Cipher(request);
        aes.Decrypt(nonce, sealedReply.AsSpan(nonce.Length, plain.Length), tag, plain);
        return new Reply(BitConverter.ToInt32(plain), plain[4..]);
    }

    private AesGcm Cipher(IdempotentRequest request) => new(
        HKDF.DeriveKey(
            HashAlgorithmName.SHA256,
            keys.Current.Derive("idempotency-reply"),
            outputLength: 32,
            salt: Encoding.UTF8.GetBytes(request.Scope),
            info: Encoding.UTF8.GetBytes(request.Key)),
        AesGcm.TagByteSizes.MaxSize);

    private sealed record Stored(string BodyHash, byte[] Reply);
}
