using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gatehouse.Keys;
using Gatehouse.Sessions;
using Gatehouse.Storage;

namespace Gatehouse.Tokens;

/// <summary>What an operator may know about a token: all that it says, nothing that would let somebody make or use one.</summary>
public abstract record TokenReport
{
    private TokenReport()
    {
    }

    /// <summary>An access token; its claims are only worth something if the signature is good.</summary>
    public sealed record Access(JsonObject Header, JsonObject Claims, TokenSignature Signature, SessionState? Session) : TokenReport;

    /// <summary>A refresh token that one of our keys made; whether its secret is the session's own, and never the secret.</summary>
    public sealed record Refresh(
        RefreshTokenKind Kind, long KeyNumber, Guid SessionId, long Generation, bool IsOfSession, SessionState? Session) : TokenReport;

    /// <summary>Nothing that we write.</summary>
    public sealed record Unknown : TokenReport;
}

/// <summary>What the signature of an access token is worth.</summary>
public enum TokenSignature
{
    /// <summary>Made by a key of ours.</summary>
    Valid,

    /// <summary>Names a key of ours, which did not make it.</summary>
    Invalid,

    /// <summary>Names a key that is not, or no longer, ours.</summary>
    UnknownKey,
}

/// <summary>A session as it is stored now; times in Unix ms, 0 where it has not happened.</summary>
public sealed record SessionState(
    string Status, Guid UserId, Guid? TenantId, long Generation, long IdleUntil, long AbsoluteUntil, long RevokedAt, string Reason);

/// <summary>Explains a token of either kind. It decides nothing: a token that is explained may well be refused.</summary>
public sealed class InspectToken(Database database, KeyRing keys)
{
    private static readonly Sql BySession = new("""
        SELECT session_status, session_user_id, session_tenant_id, generation, idle_until, absolute_until, revoked_at, reason_code,
               refresh_secret
        FROM sessions WHERE session_id = @id
        """);

    /// <summary>Explains the token.</summary>
    public async Task<TokenReport> Inspect(string token, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(token);
        if (await RefreshToken.Read(token, keys, ct) is { } refresh)
        {
            var row = await Find(refresh.SessionId, ct);
            var isOfSession = row is not null && CryptographicOperations.FixedTimeEquals(row.Secret, refresh.Secret);
            return new TokenReport.Refresh(
                refresh.Kind, refresh.KeyNumber, refresh.SessionId, refresh.Generation, isOfSession, row?.State);
        }

        if (Decode(token, keys.Current) is not { } access)
        {
            return new TokenReport.Unknown();
        }

        return Guid.TryParse(Text(access.Claims, "sid"), out var sessionId)
            ? access with { Session = (await Find(sessionId, ct))?.State }
            : access;
    }

    private static TokenReport.Access? Decode(string token, KeySet keys)
    {
        if (!Ascii.IsValid(token) || !JwtCodec.TrySplit(Encoding.ASCII.GetBytes(token), out var parts))
        {
            return null;
        }

        if (ReadObject(parts.Header) is not { } header || ReadObject(parts.Payload) is not { } claims)
        {
            return null;
        }

        Span<byte> signature = stackalloc byte[SigningKey.SignatureLength];
        var isKnown = keys.Trusted.TryGetValue(Text(header, "kid"), out var key);
        var isValid = isKnown && StrictBase64Url.TryDecode(parts.Signature, ref signature) && key!.Verify(parts.Signed, signature);
        return new TokenReport.Access(
            header,
            claims,
            isValid ? TokenSignature.Valid : isKnown ? TokenSignature.Invalid : TokenSignature.UnknownKey,
            Session: null);
    }

    private static JsonObject? ReadObject(ReadOnlySpan<byte> encoded)
    {
        Span<byte> json = new byte[JwtCodec.MaxLength];
        try
        {
            return StrictBase64Url.TryDecode(encoded, ref json)
                ? JsonNode.Parse(json, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }) as JsonObject
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Text(JsonObject from, string name) =>
        from[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";

    private Task<Stored?> Find(Guid sessionId, CancellationToken ct) => database.QueryOne(BySession, Read, ct, ("id", sessionId));

    private static Stored Read(Row row) => new(
        new SessionState(
            row.Text(0), row.Id(1), row.IdOrNull(2), row.Long(3), row.Long(4), row.Long(5), row.Long(6), row.Text(7)),
        row.Bytes(8));

    private sealed record Stored(SessionState State, byte[] Secret);
}
