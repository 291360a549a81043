using Gatehouse.Tokens;

namespace Gatehouse.Sessions;

/// <summary>What a bearer token is worth at this moment.</summary>
public enum BearerFailure
{
    /// <summary>It opens the door.</summary>
    None,

    /// <summary>It was not made by us, or not for this audience.</summary>
    Invalid,

    /// <summary>It is past its time, or was made for another tenant than the session works in now; a refresh cures it.</summary>
    Expired,

    /// <summary>Its session is over.</summary>
    Revoked,
}

/// <summary>The result of a check: the session, or why not. An expired or revoked token still says whose it was.</summary>
public readonly record struct BearerResult(BearerFailure Failure, SessionSnapshot? Session, AccessToken? Token);

/// <summary>Decides on a bearer token: signature (remembered), expiry, then the session as this process knows it.</summary>
public sealed class BearerCheck(AccessTokenVerifier verifier, SessionCache sessions, TimeProvider time)
{
    /// <summary>Checks a first-party access token.</summary>
    public ValueTask<BearerResult> Check(ReadOnlyMemory<char> token, CancellationToken ct)
    {
        // Nearly always token and session are both known here; then nothing is awaited and nothing allocated.
        var verifying = verifier.VerifyAsync(token, ct);
        return verifying.IsCompletedSuccessfully ? CheckSession(verifying.Result, ct) : Wait(verifying, ct);
    }

    private ValueTask<BearerResult> CheckSession(TokenCheck check, CancellationToken ct) => check switch
    {
        TokenCheck.Verified v => CheckSession(v.Token, isExpired: false, ct),
        TokenCheck.Expired e => CheckSession(e.Token, isExpired: true, ct),
        _ => new ValueTask<BearerResult>(new BearerResult(BearerFailure.Invalid, null, null)),
    };

    private ValueTask<BearerResult> CheckSession(AccessToken token, bool isExpired, CancellationToken ct)
    {
        var finding = sessions.Get(token.SessionId, ct);
        return finding.IsCompletedSuccessfully
            ? new ValueTask<BearerResult>(Decide(token, finding.Result, isExpired))
            : Wait(token, finding, isExpired);
    }

    private async ValueTask<BearerResult> Wait(ValueTask<TokenCheck> verifying, CancellationToken ct) =>
        await CheckSession(await verifying, ct);

    private async ValueTask<BearerResult> Wait(AccessToken token, ValueTask<SessionSnapshot?> finding, bool isExpired) =>
        Decide(token, await finding, isExpired);

    private BearerResult Decide(AccessToken token, SessionSnapshot? session, bool isExpired)
    {
        // A session that is bound to a key is used by proofs of that key, never by a token alone (RFC 9449 §7.1).
        if (session is null || session.ClientId.Length > 0 || session.DpopJkt.Length > 0 || session.UserId != token.Subject)
        {
            return new BearerResult(BearerFailure.Invalid, null, null);
        }

        var failure = session switch
        {
            { Status: SessionStatus.Revoked } => BearerFailure.Revoked,
            _ when isExpired || !session.IsLive(time.Now()) || session.TenantId != token.TenantId => BearerFailure.Expired,
            _ => BearerFailure.None,
        };
        return new BearerResult(failure, session, token);
    }
}
