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

        var ofBearer = bearer is null ? null : await SessionOfBearer(bearer, ct);
        if (refreshToken is null)
        {
            return ofBearer is { } session && await End(session, null, "logout", origin, ct)
                ? SignOutOutcome.SignedOut
                : SignOutOutcome.BearerInvalid;
        }

        // A bearer token that proves nothing any more, after a long sleep say, does not take away what the refresh token proves.
        var token = await RefreshToken.Read(refreshToken, keys, ct);
        if (ofBearer is not null && token?.SessionId != ofBearer)
        {
            return SignOutOutcome.Mismatch;
        }

        return token is { } genuine && await End(genuine.SessionId, genuine.Secret, "logout", origin, ct)
            ? SignOutOutcome.SignedOut
            : SignOutOutcome.RefreshTokenInvalid;
    }

    /// <summary>Ends the session of a token of either kind, and says nothing about whether there was one (RFC 7009 §2.2).</summary>
    public async Task Revoke(string token, Origin origin, CancellationToken ct)
    {
        if (await RefreshToken.Read(token, keys, ct) is { } refresh)
        {
            await End(refresh.SessionId, refresh.Secret, "token_revoked", origin, ct);
        }
        else if (await SessionOfBearer(token, ct) is { } session)
        {
            await End(session, null, "token_revoked", origin, ct);
        }
    }

    private async Task<Guid?> SessionOfBearer(string bearer, CancellationToken ct) => await verifier.VerifyAsync(bearer.AsMemory(), ct) switch
    {
        TokenCheck.Verified v => v.Token.SessionId,
        TokenCheck.Expired e => e.Token.SessionId,
        _ => null,
    };

    // True when the session is over now, by this request or before. A refresh token counts only with the secret of the row: the key
    // that authenticates it is not enough to end sessions with.
    private async Task<bool> End(Guid sessionId, byte[]? secret, string reason, Origin origin, CancellationToken ct)
    {
        if (await sessions.Get(sessionId, ct) is not { ClientId.Length: 0 } session)
        {
            return false;
        }

        var ended = secret is null
            ? await revoke.Own(sessionId, session.UserId, reason, origin, ct)
            : await revoke.ByRefreshToken(sessionId, secret, Actor.User(session.UserId), reason, origin, ct);
        return ended.Count > 0 || secret is null || await sessions.Get(sessionId, ct) is { Status: SessionStatus.Revoked };
    }
}
