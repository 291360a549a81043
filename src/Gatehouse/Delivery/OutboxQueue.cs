using System.Text.Json;
using Gatehouse.Storage;

namespace Gatehouse.Delivery;

/// <summary>A message this process may send until its lease ends; <paramref name="Attempt"/> counts from 1 and fences the claim.</summary>
internal sealed record ClaimedMessage(Guid Id, int Attempt, OutboxMessage Message);

/// <summary>
/// The outbox as the workers see it. Claiming a row pushes its <c>due_at</c> forward by a lease: other workers pass it by, and
/// when this process dies the row falls due again, so a message is sent at least once.
/// </summary>
internal sealed class OutboxQueue(Database db, TimeProvider time)
{
    /// <summary>Longer than any one attempt may take.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);

    private static readonly Sql NextDueAt = new("SELECT MIN(due_at) FROM outbox");

    // SQLite has one writer; on PostgreSQL the workers of several processes skip the rows that another is claiming.
    private static readonly Sql ClaimOnSqlite = ClaimWith("");
    private static readonly Sql ClaimOnPostgres = ClaimWith("FOR UPDATE SKIP LOCKED");

    private static readonly Sql Remove = new("DELETE FROM outbox WHERE message_id = @id");

    private static readonly Sql Defer = new("""
        UPDATE outbox SET due_at = @due WHERE message_id = @id AND send_attempts = @attempt
        """);

    private readonly Sql claim = db is SqliteDatabase ? ClaimOnSqlite : ClaimOnPostgres;

    /// <summary>When the next row falls due, or null when the outbox is empty.</summary>
    public Task<long?> NextDue(CancellationToken ct) => db.QueryOne(NextDueAt, row => row.LongOrNull(0), ct);

    /// <summary>Claims up to <paramref name="limit"/> due messages.</summary>
    public Task<IReadOnlyList<ClaimedMessage>> Claim(int limit, CancellationToken ct)
    {
        var now = time.Now();
        return db.Query(claim, Read, ct, ("now", now), ("lease", now + Lease.Milliseconds()), ("limit", limit));
    }

    /// <summary>Removes a message that is finished, whatever its outcome.</summary>
    public static void Finish(Batch batch, ClaimedMessage claimed) => batch.Add(Remove, ("id", claimed.Id));

    /// <summary>Lets a message wait for its next attempt, unless the lease ended and another worker has it now.</summary>
    public static void Retry(Batch batch, ClaimedMessage claimed, long due) =>
        batch.Add(Defer, ("id", claimed.Id), ("attempt", claimed.Attempt), ("due", due));

    /// <summary>The channel as the table and the dev inbox write it.</summary>
    public static string Name(MessageChannel channel) => channel switch
    {
        MessageChannel.Mail => "mail",
        MessageChannel.Sms => "sms",
        _ => throw new ArgumentOutOfRangeException(nameof(channel)),
    };

    private static Sql ClaimWith(string locking) => new($"""
        WITH due AS MATERIALIZED (
            SELECT message_id FROM outbox WHERE due_at <= @now ORDER BY due_at LIMIT @limit {locking})
        UPDATE outbox SET due_at = @lease, send_attempts = send_attempts + 1
        WHERE message_id IN (SELECT message_id FROM due)
        RETURNING message_id, send_attempts, channel, recipient, template, language, message_data, message_expires_at
        """);

    private static ClaimedMessage Read(Row row) => new(
        row.Id(0),
        row.Int(1),
        new OutboxMessage(
            row.Text(2) == "sms" ? MessageChannel.Sms : MessageChannel.Mail,
            row.Text(3),
            row.Text(4),
            row.Text(5),
            JsonSerializer.Deserialize(row.Text(6), OutboxJson.Default.DictionaryStringString)!)
        {
            ExpiresAt = row.LongOrNull(7),
        });
}
