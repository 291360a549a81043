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
    public async ValueTask<BearerResult> Check(ReadOnlyMemory<char> token, CancellationToken ct) => await verifier.VerifyAsync(token, ct) switch
    {
        TokenCheck.Verified v => Decide(v.Token, await sessions.Get(v.Token.SessionId, ct), isExpired: false),
        TokenCheck.Expired e => Decide(e.Token, await sessions.Get(e.Token.SessionId, ct), isExpired: true),
        _ => new BearerResult(BearerFailure.Invalid, null, null),
    };

    private BearerResult Decide(AccessToken token, SessionSnapshot? session, bool isExpired)
    {
        if (session is null || session.ClientId.Length > 0 || session.UserId != token.Subject)
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
