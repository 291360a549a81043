using Gatehouse.Storage;

namespace Gatehouse.Challenges;

/// <summary>What a code is for; a code works for nothing else.</summary>
public static class ChallengePurpose
{
    /// <summary>Sign in by e-mail code.</summary>
    public const string EmailSignIn = "email_sign_in";
}

/// <summary>Where a challenge stands. <c>expired</c> is never stored: time says so.</summary>
public static class ChallengeStatus
{
    /// <summary>The message waits to be sent.</summary>
    public const string PendingSend = "pending_send";

    /// <summary>The message is on its way.</summary>
    public const string Sent = "sent";

    /// <summary>Deliberately not sent; it can never be confirmed.</summary>
    public const string DeliverySuppressed = "delivery_suppressed";

    /// <summary>Not sent because one was sent a moment ago, whose code confirms this one too.</summary>
    public const string DeliveryThrottled = "delivery_throttled";

    /// <summary>Used; kept a while so that a repetition gets the same answer.</summary>
    public const string ConfirmedPendingExpire = "confirmed_pending_expire";

    /// <summary>Past its time.</summary>
    public const string Expired = "expired";

    /// <summary>The message could not be sent.</summary>
    public const string Failed = "failed";

    /// <summary>Withdrawn.</summary>
    public const string Cancelled = "cancelled";
}

/// <summary>A challenge's root, as seen through one of its ids.</summary>
internal sealed record Challenge(
    Guid RootId,
    bool IsAlias,
    string Purpose,
    string Address,
    string StoredStatus,
    int Digits,
    int TriesLeft,
    long ExpiresAt,
    Guid? ConfirmedSessionId,
    string ConfirmedJkt,
    string ConfirmedDevice)
{
    public const int MaxTries = 5;
    public const int MaxAliases = 4;

    public const int ColumnCount = 12;

    /// <summary>The columns that <see cref="Read"/> takes from the joined rows <c>mine</c> and <c>root</c>.</summary>
    public const string Columns = """
        root.challenge_id, mine.alias_number, root.purpose, root.challenge_address, root.challenge_status, root.digits,
        root.own_tries, root.alias_tries, root.challenge_expires_at, root.confirmed_session_id,
        root.confirmed_jkt, root.confirmed_device
        """;

    /// <summary>The status at this moment.</summary>
    public string StatusAt(long now) => now >= ExpiresAt ? ChallengeStatus.Expired : StoredStatus;

    public static Challenge Read(Row row)
    {
        var isAlias = row.Long(1) > 0;
        return new(
            row.Id(0),
            isAlias,
            row.Text(2),
            row.Text(3),
            row.Text(4),
            row.Int(5),
            Math.Max(0, MaxTries - row.Int(isAlias ? 7 : 6)),
            row.Long(8),
            row.IdOrNull(9),
            row.Text(10),
            row.Text(11));
    }
}
