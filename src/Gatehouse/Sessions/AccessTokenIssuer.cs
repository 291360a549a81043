using System.Buffers.Text;
using Gatehouse.Tokens;

namespace Gatehouse.Sessions;

/// <summary>An access token and its life in seconds.</summary>
public readonly record struct IssuedToken(string Text, int ExpiresIn);

/// <summary>Makes access tokens from sessions. No token outlives its session's absolute limit.</summary>
public sealed class AccessTokenIssuer(AccessTokenSigner signer, Randomness random, TimeProvider time, TokenOptions options)
{
    /// <summary>Makes a first-party access token.</summary>
    public IssuedToken Issue(SessionSnapshot session, TimeSpan life)
    {
        ArgumentNullException.ThrowIfNull(session);
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        var expiresAt = Math.Min(now + (long)life.TotalSeconds, session.ExpiresAt / 1000);
        Span<byte> id = stackalloc byte[16];
        random.Fill(id);
        var text = signer.Sign(new AccessToken
        {
            Issuer = options.Issuer,
            Subject = session.UserId,
            Audience = options.Audience,
            SessionId = session.SessionId,
            TenantId = session.TenantId,
            Scope = session.Scope,
            Amr = session.Amr,
            AuthTime = session.AuthTime / 1000,
            IssuedAt = now,
            ExpiresAt = expiresAt,
            TokenId = Base64Url.EncodeToString(id),
            DpopThumbprint = session.DpopJkt,
        });
        return new IssuedToken(text, (int)(expiresAt - now));
    }
}
