using Gatehouse.Audit;
using Gatehouse.Keys;
using Gatehouse.Projection;
using Gatehouse.Sessions;
using Gatehouse.Storage;
using Gatehouse.Throttling;
using Gatehouse.Users;

namespace Gatehouse.Challenges;

/// <summary>A code handed in to sign in with.</summary>
/// <param name="ChallengeId">The id that was handed out.</param>
/// <param name="Code">The code from the message.</param>
/// <param name="Jkt">The thumbprint of the client's key (RFC 7638); empty for none.</param>
/// <param name="Device">The client's device id; empty for none.</param>
/// <param name="DeviceName">What the client calls that device.</param>
/// <param name="Registration">What a new user starts with.</param>
/// <param name="RememberMe">Whether the long idle limit applies.</param>
/// <param name="Origin">The request.</param>
public sealed record CodeConfirmation(
    Guid ChallengeId, string Code, string Jkt, string Device, string DeviceName, Preferences Registration, bool RememberMe, Origin Origin);

/// <summary>What came of handing in a code.</summary>
public abstract record ConfirmOutcome
{
    /// <summary>The session that the challenge stands for now.</summary>
    /// <param name="Session">The session.</param>
    /// <param name="RefreshToken">Its first refresh token, as long as nobody has used it; otherwise empty.</param>
    public sealed record Confirmed(SessionSnapshot Session, string RefreshToken) : ConfirmOutcome;

    /// <summary>Wrong, expired, used, suppressed, exhausted or blocked: the answer is the same.</summary>
    public sealed record InvalidCode : ConfirmOutcome;

    /// <summary>It was confirmed before, and the session has ended since.</summary>
    public sealed record Revoked : ConfirmOutcome;

    /// <summary>Too many codes from this client address.</summary>
    public sealed record Throttled(Permit Permit) : ConfirmOutcome;

    /// <summary>The policy refuses one more session.</summary>
    public sealed record SessionLimitReached : ConfirmOutcome;
}

/// <summary>
/// Confirms a challenge: (1) loads and checks it, (2) makes sure of the user, (3) and (4) reads the session limit and counts, (5) creates the
/// session, (6) swaps the challenge to confirmed, (7) reads back what is stored, (8) publishes, (9) answers. Steps 2 to 7 are the
/// mint's transaction. Identical requests may race; each is told the one session that won.
/// </summary>
public sealed class ConfirmEmailCode(
    Database database,
    ChallengeCodes codes,
    KeyRing keys,
    OpenSession open,
    SessionPublisher publisher,
    SessionTokens tokens,
    Throttle throttle,
    AuditLog audit,
    Randomness random,
    TimeProvider time,
    ChallengeOptions options)
{
    private const int MaxAttempts = 3;

    private static readonly Sql Find = new($"""
        SELECT {Challenge.Columns}, (SELECT user_id FROM users WHERE email = root.challenge_address AND email <> '')
        FROM challenges AS mine JOIN challenges AS root ON root.challenge_id = mine.root_id
        WHERE mine.challenge_id = @id AND mine.purpose = @purpose AND mine.alias_number <= @maxAliases
        """);

    private static readonly Sql FindStatus = new("SELECT challenge_status FROM challenges WHERE challenge_id = @root");

    // Whether a try was left is decided here, on the row: of any number of guesses at once, no more than the limit count.
    private static readonly Sql CountWrongTry = new("""
        UPDATE challenges
        SET own_tries = own_tries + CASE WHEN @alias = 0 THEN 1 ELSE 0 END,
            alias_tries = alias_tries + CASE WHEN @alias = 0 THEN 0 ELSE 1 END
        WHERE challenge_id = @root AND CASE WHEN @alias = 0 THEN own_tries ELSE alias_tries END < @maxTries
        """);

    /// <summary>Confirms, or says no without saying why.</summary>
    public async Task<ConfirmOutcome> Confirm(CodeConfirmation request, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(request);

        // Each turn follows a change by someone else between the look and the transaction. Only the first one counts.
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var look = new Batch();
            var key = $"confirm:{request.Origin.IpPrefix}";
            Func<bool> mayTry = attempt == 0 ? throttle.Reserve(look, key, options.Confirms) : () => true;
            var found = look.Query(
                Find,
                row => (Challenge: Challenge.Read(row), UserId: row.IdOrNull(Challenge.ColumnCount)),
                ("id", request.ChallengeId),
                ("purpose", ChallengePurpose.EmailSignIn),
                ("maxAliases", Challenge.MaxAliases));
            await database.Run(look, ct);
            if (!mayTry())
            {
                return new ConfirmOutcome.Throttled(await throttle.Refused(key, options.Confirms, ct));
            }

            var outcome = found.All.Count == 0
                ? await Refuse(null, request)
                : await Decide(found.First.Challenge, found.First.UserId, request, ct);
            if (outcome is not null)
            {
                return outcome;
            }
        }

        return new ConfirmOutcome.InvalidCode();
    }

    /// <summary>Null when another look is needed.</summary>
    private async Task<ConfirmOutcome?> Decide(Challenge challenge, Guid? userId, CodeConfirmation request, CancellationToken ct)
    {
        var status = challenge.StatusAt(time.Now());
        var isConfirmed = status == ChallengeStatus.ConfirmedPendingExpire;
        var isOpen = challenge.TriesLeft > 0 && (isConfirmed || status is ChallengeStatus.PendingSend or ChallengeStatus.Sent);
        if (!codes.IsRight(challenge, request.Code) || !isOpen)
        {
            return await Refuse(challenge, request, isTry: isOpen);
        }

        return isConfirmed ? await Repeat(challenge, request, ct) : await Open(challenge, userId, request, ct);
    }

    // The caller's wish to stop waiting must not undo the count: whoever hangs up has had a try all the same.
    private async Task<ConfirmOutcome> Refuse(Challenge? challenge, CodeConfirmation request, bool isTry = false)
    {
        var batch = new Batch();
        var hash = challenge is null ? "" : keys.HashAddress(challenge.Address);
        if (challenge is not null && isTry)
        {
            batch.Add(CountWrongTry, ("root", challenge.RootId), ("alias", challenge.IsAlias), ("maxTries", Challenge.MaxTries));
            throttle.Reserve(batch, SendCode.WrongTriesKey(hash), options.WrongTries);
        }

        audit.Add(batch, new AuditEvent("session.sign_in", "failure", new Actor("user", ""), request.Origin)
        {
            AddressHash = hash,
            Details = "invalid_code",
        });
        await database.Run(batch, CancellationToken.None);
        return new ConfirmOutcome.InvalidCode();
    }

    /// <summary>Null when the challenge or its user changed since they were read.</summary>
    private async Task<ConfirmOutcome?> Open(Challenge challenge, Guid? userId, CodeConfirmation request, CancellationToken ct)
    {
        var claim = new ChallengeClaim(
            challenge.RootId, challenge.IsAlias, request.Jkt, request.Device, time.Now() + options.RepeatFor.Milliseconds());
        var wanted = new NewSession(
            new Claimant.ByAddress(challenge.Address, userId ?? random.NewId(), request.Registration),
            SessionKind.Device,
            "email_code",
            "otp",
            request.RememberMe,
            request.Origin)
        {
            DpopJkt = request.Jkt,
            DeviceName = request.DeviceName,
            Claim = claim,
        };
        return await open.Open(wanted, _ => { }, ct) switch
        {
            OpenOutcome.Opened o => new ConfirmOutcome.Confirmed(o.Session.Session, o.Session.RefreshToken),
            OpenOutcome.LimitReached => await IsConfirmed(challenge, ct) ? null : new ConfirmOutcome.SessionLimitReached(),

            // Superseded by an identical request, or refused: another look tells which answer is due.
            _ => null,
        };
    }

    // An identical request may have taken the last place, and then this one is told of its session.
    private async Task<bool> IsConfirmed(Challenge challenge, CancellationToken ct) =>
        await database.QueryOne(FindStatus, row => row.Text(0), ct, ("root", challenge.RootId)) == ChallengeStatus.ConfirmedPendingExpire;

    // The same request again: publish what is stored now, and answer as before. With another key or device it is not the same.
    private async Task<ConfirmOutcome> Repeat(Challenge challenge, CodeConfirmation request, CancellationToken ct)
    {
        if (challenge.ConfirmedJkt != request.Jkt || challenge.ConfirmedDevice != request.Device
            || await tokens.Find(challenge.ConfirmedSessionId!.Value, ct) is not { } stored)
        {
            return await Refuse(challenge, request);
        }

        await publisher.Republish(stored.Session, ct);
        return stored.Session.IsLive(time.Now())
            ? new ConfirmOutcome.Confirmed(stored.Session, stored.FirstRefreshToken)
            : new ConfirmOutcome.Revoked();
    }
}
