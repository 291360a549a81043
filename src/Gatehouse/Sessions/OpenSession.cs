using Gatehouse.Audit;
using Gatehouse.Keys;
using Gatehouse.Projection;
using Gatehouse.Storage;
using Gatehouse.Tenants;
using Gatehouse.Users;

namespace Gatehouse.Sessions;

/// <summary>Who signs in, and how the mint makes sure that this still holds when the session is inserted.</summary>
public abstract record Claimant
{
    /// <summary>A user whose credential was found right, at the epoch that was read with it.</summary>
    public sealed record ByCredential(Guid UserId, long AuthEpoch) : Claimant;

    /// <summary>
    /// Whoever owns an address that was just proved; a user who does not exist yet is made. <paramref name="UserId"/> is the user who
    /// was seen, or the id for the new one.
    /// </summary>
    public sealed record ByAddress(string Email, Guid UserId, Preferences Registration) : Claimant;
}

/// <summary>What a sign-in asks for once the credential was found right.</summary>
/// <param name="Who">Who signs in.</param>
/// <param name="Kind">One of <see cref="SessionKind"/>.</param>
/// <param name="Method">The sign-in method, as the user's list of sessions names it: <c>password</c>.</param>
/// <param name="Amr">How the user proved who they are.</param>
/// <param name="RememberMe">Whether the long idle limit applies.</param>
/// <param name="Origin">The request.</param>
public sealed record NewSession(Claimant Who, string Kind, string Method, string Amr, bool RememberMe, Origin Origin)
{
    /// <summary>The thumbprint of the key the session is bound to; empty for none.</summary>
    public string DpopJkt { get; init; } = "";

    /// <summary>What the client calls the device; empty when it does not say.</summary>
    public string DeviceName { get; init; } = "";

    /// <summary>The challenge that this session is to confirm; of several that try, one wins.</summary>
    public ChallengeClaim? Claim { get; init; }
}

/// <summary>A challenge to be confirmed by the session that is being opened.</summary>
public sealed record ChallengeClaim(Guid RootId, bool IsAlias, string Jkt, string Device, long RepeatUntil);

/// <summary>A session just opened, with what its owner is told.</summary>
/// <param name="Session">The session; where a claim was lost, the one that won it.</param>
/// <param name="User">Its user.</param>
/// <param name="RefreshToken">The first refresh token; empty where a claim was lost.</param>
/// <param name="Membership">The place it works in; null until one is chosen.</param>
/// <param name="MustChooseTenant">Whether there are several places to choose from.</param>
public sealed record OpenedSession(
    SessionSnapshot Session, User User, string RefreshToken, Membership? Membership, bool MustChooseTenant);

/// <summary>What came of opening a session.</summary>
public abstract record OpenOutcome
{
    /// <summary>It is open, durable and known to this process.</summary>
    public sealed record Opened(OpenedSession Session) : OpenOutcome;

    /// <summary>Another request confirmed the challenge first; its session is the one that counts, this one's own is revoked.</summary>
    public sealed record Superseded(SessionSnapshot Survivor) : OpenOutcome;

    /// <summary>The user was blocked, the credential changed, or the challenge ended since it was checked.</summary>
    public sealed record Refused : OpenOutcome;

    /// <summary>The user has as many sessions as the policy <see cref="SessionLimitPolicy.Reject"/> allows.</summary>
    public sealed record LimitReached : OpenOutcome;
}

/// <summary>
/// The one place where sessions come from. Its transaction (1) locks the user, made now if need be, and proves that the credential
/// still holds, (2) reads roles, limit and count under that lock, (3) inserts the session, (4) claims the challenge, if there is one,
/// (5) ends what is over the limit, or the session itself where the claim was lost, (6) publishes and audits.
/// Lock order: address, user, session, challenge.
/// </summary>
public sealed class OpenSession(
    Database database,
    KeyRing keys,
    SessionCache cache,
    SessionPublisher publisher,
    AuditLog audit,
    Randomness random,
    TimeProvider time,
    SessionOptions options)
{
    /// <summary>The scope of sessions on our own surfaces.</summary>
    public const string FirstPartyScope = "openid profile email";

    /// <summary>Opens the session; <paramref name="alongside"/> adds what must be stored with it or not at all.</summary>
    public async Task<OpenOutcome> Open(NewSession wanted, Action<Batch> alongside, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        ArgumentNullException.ThrowIfNull(alongside);
        var id = random.NewId();
        cache.Expect(id);
        var minted = new Minted(new OpenOutcome.Refused(), []);
        try
        {
            minted = await database.InTransaction(tx => OpenIn(tx, id, wanted, alongside, ct), ct);
            await (minted.Outcome is OpenOutcome.Opened opened
                ? publisher.ReleaseOpened(opened.Session.Session, [.. minted.Changed.Where(session => session.SessionId != id)])
                : publisher.Release(minted.Changed));
            return minted.Outcome;
        }
        catch (DatabaseUnavailableException) when (minted.Outcome is OpenOutcome.Superseded)
        {
            // Telling of the session that lost is no part of the caller's success; the repairer does it later.
            return minted.Outcome;
        }
        catch (ClaimGoneException)
        {
            return new OpenOutcome.Refused();
        }
        finally
        {
            cache.StopExpecting(id);
        }
    }

    private async Task<Minted> OpenIn(Statements tx, Guid id, NewSession wanted, Action<Batch> alongside, CancellationToken ct)
    {
        var now = time.Now();
        var entry = MintSql.Enter(wanted.Who, now);
        await tx.Run(entry.Batch, ct);
        if (entry.User.First is not { } user)
        {
            return new Minted(new OpenOutcome.Refused(), []);
        }

        var (limit, policy) = SessionLimit.From(entry.Settings.All, options);
        if (policy == SessionLimitPolicy.Reject && entry.Live.First >= limit)
        {
            return new Minted(new OpenOutcome.LimitReached(), []);
        }

        var membership = entry.Memberships.All.Count == 1 ? entry.Memberships.All[0] : null;
        var row = new NewSessionRow(
            id,
            user.UserId,
            membership,
            random.Bytes(RefreshToken.SecretLength),
            keys.Current.Refresh,
            (wanted.RememberMe ? options.IdleLimit : options.ShortIdleLimit).Milliseconds(),
            now + options.AbsoluteLimit.Milliseconds(),
            publisher.PublishedAtBirth(now));
        var insertion = MintSql.Insert(wanted, row, limit, mustEvict: entry.Live.First >= limit, now);
        await tx.Run(insertion.Batch, ct);
        if (wanted.Claim is not null && insertion.Survivor?.First is null)
        {
            // Nobody confirmed the challenge, and this session could not: it ended in between. Nothing of this may stay.
            throw new ClaimGoneException();
        }

        var own = insertion.Superseded?.First ?? insertion.Session.First!;
        IReadOnlyList<SessionSnapshot> changed = [.. insertion.Evicted?.All ?? [], own];
        await tx.Run(Consequences(wanted, changed, alongside), ct);
        return new Minted(
            insertion.Superseded?.First is null
                ? new OpenOutcome.Opened(new OpenedSession(
                    own,
                    user,
                    RefreshToken.Write(RefreshTokenKind.Direct, row.Key, row.SessionId, generation: 0, row.Secret),
                    membership,
                    entry.Memberships.All.Count > 1))
                : new OpenOutcome.Superseded(insertion.Survivor!.First!),
            changed);
    }

    private Batch Consequences(NewSession wanted, IReadOnlyList<SessionSnapshot> changed, Action<Batch> alongside)
    {
        var batch = new Batch();
        foreach (var session in changed)
        {
            publisher.Stage(batch, session);
            var isOver = session.Status == SessionStatus.Revoked;
            audit.Add(batch, new AuditEvent(
                isOver ? "session.revoked" : "session.opened",
                "success",
                isOver ? Actor.System : Actor.User(session.UserId),
                wanted.Origin)
            {
                UserId = session.UserId,
                SessionId = session.SessionId,
                TenantId = session.TenantId,
                Details = isOver ? session.ReasonCode : wanted.Method,
            });
        }

        alongside(batch);
        return batch;
    }

    private sealed record Minted(OpenOutcome Outcome, IReadOnlyList<SessionSnapshot> Changed);

    /// <summary>Rolls the mint back.</summary>
    private sealed class ClaimGoneException : Exception;
}
