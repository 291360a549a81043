using Gatehouse.Audit;
using Gatehouse.Delivery;
using Gatehouse.Keys;
using Gatehouse.Storage;
using Gatehouse.Throttling;
using Gatehouse.Users;

namespace Gatehouse.Challenges;

/// <summary>A code to be sent to an address.</summary>
/// <param name="Purpose">One of <see cref="ChallengePurpose"/>.</param>
/// <param name="Address">The address, normalised.</param>
/// <param name="Template">The message's template.</param>
/// <param name="Language">The language the client asked for.</param>
/// <param name="Origin">The request.</param>
public sealed record CodeRequest(string Purpose, string Address, string Template, string Language, Origin Origin);

/// <summary>What came of asking for a code.</summary>
public abstract record SendCodeOutcome
{
    /// <summary>An id to confirm with; it says nothing about whether a message went out, or to whom.</summary>
    public sealed record Accepted(Guid ChallengeId) : SendCodeOutcome;

    /// <summary>Too many requests from this client address.</summary>
    public sealed record Throttled(Permit Permit) : SendCodeOutcome;
}

/// <summary>
/// Hands out a challenge: (1) reserves the cooldown, (2) resolves the address to existing, creatable or blocked, (3) stores the
/// challenge, with its message in the outbox. One transaction of as many round trips in every branch, and the message goes out
/// after the answer, so neither the answer nor its time tells the branches apart. (The surface wakes the worker then.)
/// </summary>
public sealed class SendCode(
    Database database,
    Throttle throttle,
    KeyRing keys,
    Outbox outbox,
    AuditLog audit,
    Randomness random,
    TimeProvider time,
    ChallengeOptions options)
{
    private static readonly Sql Resolve = new("""
        SELECT coalesce((SELECT address_blocked_at FROM addresses WHERE address = @address), 0),
            coalesce((SELECT user_status FROM users WHERE email = @address AND email <> ''), '')
        """);

    // The code that is on its way: the newest root of this address that nobody has used yet.
    private static readonly Sql FindLive = new("""
        SELECT challenge_id, challenge_expires_at,
            (SELECT count(*) FROM (SELECT 1 FROM challenges AS aliases WHERE aliases.root_id = roots.challenge_id LIMIT 6) AS few) AS ids
        FROM challenges AS roots
        WHERE challenge_address = @address AND purpose = @purpose AND alias_number = 0 AND challenge_expires_at > @now
          AND challenge_status IN ('pending_send', 'sent', 'delivery_suppressed')
        ORDER BY challenge_created_at DESC, challenge_id DESC
        LIMIT 1
        """);

    private static readonly Sql Insert = new("""
        INSERT INTO challenges (
            challenge_id, root_id, alias_number, purpose, challenge_address, challenge_status, delivery_outcome, digits, own_tries,
            alias_tries, challenge_created_at, challenge_expires_at, confirmed_session_id, confirmed_jkt, confirmed_device)
        VALUES (@id, @root, @alias, @purpose, @address, @status, '', @digits, 0, 0, @now, @expires, NULL, '', '')
        """);

    // A root outlives its aliases, which ask it for everything; an hour lets nobody's question fall between the two.
    private static readonly TimeSpan KeptAfterEnd = TimeSpan.FromHours(1);

    private static readonly Sql RemoveDead = new("""
        DELETE FROM challenges WHERE challenge_id IN (
            SELECT challenge_id FROM challenges WHERE challenge_expires_at < @before ORDER BY challenge_expires_at LIMIT 1000)
        """);

    /// <summary>Removes a portion of the challenges that ended a while ago.</summary>
    public Task<int> RemoveOld(CancellationToken ct) =>
        database.Execute(RemoveDead, ct, ("before", time.Now() - KeptAfterEnd.Milliseconds()));

    /// <summary>Hands out a challenge for the address.</summary>
    public async Task<SendCodeOutcome> Send(CodeRequest request, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(request);
        var permit = await throttle.Reserve($"send:{request.Origin.IpPrefix}", options.Sends, ct);
        if (!permit.Granted)
        {
            return new SendCodeOutcome.Throttled(permit);
        }

        return await database.InTransaction(tx => SendIn(tx, request, ct), ct);
    }

    private async Task<SendCodeOutcome.Accepted> SendIn(Statements tx, CodeRequest request, CancellationToken ct)
    {
        var now = time.Now();
        var hash = keys.HashAddress(request.Address);
        var id = random.NewId();
        var isFirst = await throttle.ReserveAlways(tx, CooldownKey(request.Purpose, hash), options.CooldownPolicy, ct);

        // What the cooldown keeps back is counted too, apart, so that every address costs as much to read and to write.
        var look = new Batch();
        var isWithin = throttle.Reserve(look, isFirst ? $"messages:{hash}" : $"unsent:{hash}", options.Messages);
        var isLong = throttle.IsExhausted(look, WrongTriesKey(hash), options.WrongTries);
        var isBlocked = look.Query(Resolve, row => row.Long(0) > 0 || row.Text(1) is User.Blocked or User.Deleted, ("address", request.Address));
        var live = look.Query(
            FindLive,
            row => new Live(row.Id(0), row.Long(1), row.Long(2)),
            ("address", request.Address),
            ("purpose", request.Purpose),
            ("now", now));
        await tx.Run(look, ct);

        var status = !isFirst ? ChallengeStatus.DeliveryThrottled
            : isBlocked.First ? ChallengeStatus.DeliverySuppressed
            : isWithin() ? ChallengeStatus.PendingSend
            : ChallengeStatus.DeliveryThrottled;

        // Without a live code there is nothing to share: such an id is its own root, of which no message was ever made.
        var shared = status == ChallengeStatus.DeliveryThrottled ? live.First : null;
        var expires = shared?.ExpiresAt ?? now + options.Life.Milliseconds();
        var batch = new Batch().Add(
            Insert,
            ("id", id),
            ("root", shared?.RootId ?? id),
            ("alias", shared?.Ids ?? 0),
            ("purpose", request.Purpose),
            ("address", request.Address),
            ("status", status),
            ("digits", isLong() ? ChallengeCodes.LongDigits : ChallengeCodes.UsualDigits),
            ("now", now),
            ("expires", expires));
        Queue(batch, request, id, expires);
        audit.Add(batch, new AuditEvent("challenge.requested", "success", new Actor("user", ""), request.Origin)
        {
            AddressHash = hash,
            Details = $"{request.Purpose} {status}",
        });
        await tx.Run(batch, ct);
        return new SendCodeOutcome.Accepted(id);
    }

    // Also where nothing will be sent, so that every address costs the same; the worker drops what has no code to carry.
    private void Queue(Batch batch, CodeRequest request, Guid id, long expires)
    {
        var minutes = (int)options.Life.TotalMinutes;
        var data = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [ChallengeDelivery.IdField] = id.ToString(),
            ["minutes"] = minutes.ToString(System.Globalization.CultureInfo.InvariantCulture),
        };
        outbox.Add(
            batch, new OutboxMessage(MessageChannel.Mail, request.Address, request.Template, request.Language, data) { ExpiresAt = expires });
    }

    internal static string CooldownKey(string purpose, string hash) => $"cooldown:{purpose}:{hash}";

    internal static string WrongTriesKey(string hash) => $"wrong:{hash}";

    private sealed record Live(Guid RootId, long ExpiresAt, long Ids);
}
