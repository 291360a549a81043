using Gatehouse.Keys;
using Gatehouse.Tokens;

namespace Gatehouse.Sessions;

/// <summary>What came of signing out.</summary>
public enum SignOutOutcome
{
    /// <summary>The session is over, by this request or an earlier one.</summary>
    SignedOut,

    /// <summary>Neither credential was sent.</summary>
    NoCredential,

    /// <summary>The bearer token is not ours.</summary>
    BearerInvalid,

    /// <summary>The refresh token is not ours.</summary>
    RefreshTokenInvalid,

    /// <summary>The two credentials belong to different sessions.</summary>
    Mismatch,
}

/// <summary>
/// Ends the session of whoever holds one of its tokens. A refresh token or a bearer token is enough, and an expired bearer
/// token too, since who wants to leave must not be kept in.
/// </summary>
public sealed class SignOut(AccessTokenVerifier verifier, KeyRing keys, SessionCache sessions, RevokeSessions revoke)
{
    /// <summary>Ends the session that the credentials name.</summary>
    public async Task<SignOutOutcome> Leave(string? bearer, string? refreshToken, Origin origin, CancellationToken ct)
    {
        if (bearer is null && refreshToken is null)
        {
            return SignOutOutcome.NoCredential;
        }

        var named = default(Guid?);
        if (bearer is not null)
        {
            named = await SessionOfBearer(bearer, ct);
            if (named is null)
            {
                return SignOutOutcome.BearerInvalid;
            }
        }

        if (refreshToken is not null)
        {
            var token = await RefreshToken.Read(refreshToken, keys, ct);
            if (named is not null && token?.SessionId != named)
            {
                return SignOutOutcome.Mismatch;
            }

            if (token is null)
            {
                return SignOutOutcome.RefreshTokenInvalid;
            }

            named = token.Value.SessionId;
        }

        return await End(named!.Value, "logout", origin, ct) ? SignOutOutcome.SignedOut : SignOutOutcome.BearerInvalid;
    }

    /// <summary>Ends the session of a token of either kind, and says nothing about whether there was one (RFC 7009 §2.2).</summary>
    public async Task Revoke(string token, Origin origin, CancellationToken ct)
    {
        var session = (await RefreshToken.Read(token, keys, ct))?.SessionId ?? await SessionOfBearer(token, ct);
        if (session is { } id)
        {
            await End(id, "token_revoked", origin, ct);
        }
    }

    private async Task<Guid?> SessionOfBearer(string bearer, CancellationToken ct) => await verifier.VerifyAsync(bearer.AsMemory(), ct) switch
    {
        TokenCheck.Verified v => v.Token.SessionId,
        TokenCheck.Expired e => e.Token.SessionId,
        _ => null,
    };

    private async Task<bool> End(Guid sessionId, string reason, Origin origin, CancellationToken ct)
    {
        var session = await sessions.Get(sessionId, ct);
        if (session is null || session.ClientId.Length > 0)
        {
            return false;
        }

        await revoke.Own(sessionId, session.UserId, reason, origin, ct);
        return true;
    }
}
