using System.Text.Json;

namespace Gatehouse.Tokens;

/// <summary>Reads the claims of an access token. A claim it does not know comes from a newer release, and is passed over.</summary>
internal static class ClaimsReader
{
    // 9999-12-31: beyond it no date type can follow.
    private const long LastSecond = 253_402_300_799;

    [Flags]
    private enum Claims
    {
        None = 0,
        Iss = 1 << 0,
        Sub = 1 << 1,
        Aud = 1 << 2,
        Exp = 1 << 3,
        Iat = 1 << 4,
        Jti = 1 << 5,
        Sid = 1 << 6,
        Tid = 1 << 7,
        Scope = 1 << 8,
        Amr = 1 << 9,
        AuthTime = 1 << 10,
        Required = (1 << 11) - 1,
        ClientId = 1 << 11,
        Cnf = 1 << 12,
        Other = 1 << 13,
    }

    /// <summary>The claims, or null when one is missing, doubled, or not what it must be.</summary>
    public static AccessToken? Read(ref Utf8JsonReader reader, string issuer)
    {
        var draft = new Draft();
        var seen = Claims.None;
        HashSet<string>? others = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var claim = Name(ref reader);
            var isFirst = claim == Claims.Other
                ? (others ??= new(StringComparer.Ordinal)).Add(reader.GetString()!)
                : (seen & claim) == Claims.None;
            seen |= claim;
            if (!isFirst || !draft.TryRead(claim, ref reader, issuer))
            {
                return null;
            }
        }

        return (seen & Claims.Required) == Claims.Required && draft.ExpiresAt > draft.IssuedAt ? draft.Finish(issuer) : null;
    }

    /// <summary>Moves to the value; whether it is a text.</summary>
    public static bool IsText(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.String;

    private static Claims Name(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("iss"u8) ? Claims.Iss
        : reader.ValueTextEquals("sub"u8) ? Claims.Sub
        : reader.ValueTextEquals("aud"u8) ? Claims.Aud
        : reader.ValueTextEquals("exp"u8) ? Claims.Exp
        : reader.ValueTextEquals("iat"u8) ? Claims.Iat
        : reader.ValueTextEquals("jti"u8) ? Claims.Jti
        : reader.ValueTextEquals("sid"u8) ? Claims.Sid
        : reader.ValueTextEquals("tid"u8) ? Claims.Tid
        : reader.ValueTextEquals("scope"u8) ? Claims.Scope
        : reader.ValueTextEquals("amr"u8) ? Claims.Amr
        : reader.ValueTextEquals("auth_time"u8) ? Claims.AuthTime
        : reader.ValueTextEquals("client_id"u8) ? Claims.ClientId
        : reader.ValueTextEquals("cnf"u8) ? Claims.Cnf
        : Claims.Other;

    private static bool TryText(ref Utf8JsonReader reader, out string text)
    {
        text = IsText(ref reader) ? reader.GetString()! : "";
        return text.Length > 0;
    }

    private static bool TryId(ref Utf8JsonReader reader, out Guid id)
    {
        id = default;
        return IsText(ref reader) && reader.TryGetGuid(out id);
    }

    private static bool TryTime(ref Utf8JsonReader reader, out long seconds)
    {
        seconds = -1;
        return reader.Read() && reader.TokenType == JsonTokenType.Number
            && reader.TryGetInt64(out seconds) && seconds is >= 0 and <= LastSecond;
    }

    private static bool TryMethods(ref Utf8JsonReader reader, out string methods)
    {
        methods = "";
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
        {
            return false;
        }

        while (IsText(ref reader))
        {
            var method = reader.GetString()!;
            if (method.Length == 0 || method.Contains(' ', StringComparison.Ordinal))
            {
                return false;
            }

            methods = methods.Length == 0 ? method : $"{methods} {method}";
        }

        return reader.TokenType == JsonTokenType.EndArray;
    }

    // Any other confirmation would bind the token to something this release cannot check, so it must not pass as a bearer token.
    private static bool TryConfirmation(ref Utf8JsonReader reader, out string thumbprint)
    {
        thumbprint = "";
        return reader.Read() && reader.TokenType == JsonTokenType.StartObject
            && reader.Read() && reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("jkt"u8)
            && TryText(ref reader, out thumbprint)
            && reader.Read() && reader.TokenType == JsonTokenType.EndObject;
    }

    /// <summary>The claims read so far.</summary>
    private struct Draft()
    {
        private Guid subject;
        private string audience = "";
        private Guid session;
        private Guid? tenant;
        private string scope = "";
        private string methods = "";
        private long authTime;
        private string tokenId = "";
        private string client = "";
        private string thumbprint = "";
        private long issuedAt;
        private long expiresAt;

        public readonly long IssuedAt => issuedAt;

        public readonly long ExpiresAt => expiresAt;

        public bool TryRead(Claims claim, ref Utf8JsonReader reader, string issuer) => claim switch
        {
            Claims.Iss => IsText(ref reader) && reader.ValueTextEquals(issuer),
            Claims.Sub => TryId(ref reader, out subject),
            Claims.Aud => TryText(ref reader, out audience),
            Claims.Exp => TryTime(ref reader, out expiresAt),
            Claims.Iat => TryTime(ref reader, out issuedAt),
            Claims.Jti => TryText(ref reader, out tokenId),
            Claims.Sid => TryId(ref reader, out session),
            Claims.Tid => TryTenant(ref reader),
            Claims.Scope => TryScope(ref reader),
            Claims.Amr => TryMethods(ref reader, out methods),
            Claims.AuthTime => TryTime(ref reader, out authTime),
            Claims.ClientId => TryText(ref reader, out client),
            Claims.Cnf => TryConfirmation(ref reader, out thumbprint),
            _ => TryPassOver(ref reader),
        };

        public readonly AccessToken Finish(string issuer) => new()
        {
            Issuer = issuer,
            Subject = subject,
            Audience = audience,
            SessionId = session,
            TenantId = tenant,
            Scope = scope,
            Amr = methods,
            AuthTime = authTime,
            IssuedAt = issuedAt,
            ExpiresAt = expiresAt,
            TokenId = tokenId,
            ClientId = client,
            DpopThumbprint = thumbprint,
        };

        private bool TryTenant(ref Utf8JsonReader reader)
        {
            if (!reader.Read() || reader.TokenType == JsonTokenType.Null)
            {
                return true;
            }

            if (reader.TokenType != JsonTokenType.String || !reader.TryGetGuid(out var id))
            {
                return false;
            }

            tenant = id;
            return true;
        }

        private bool TryScope(ref Utf8JsonReader reader)
        {
            if (!IsText(ref reader))
            {
                return false;
            }

            scope = reader.GetString()!;
            return true;
        }

        // "nbf" restricts a token, and we never write it: a release that knows no more than this must not ignore it.
        private static bool TryPassOver(ref Utf8JsonReader reader)
        {
            if (reader.ValueTextEquals("nbf"u8))
            {
                return false;
            }

            reader.Skip();
            return true;
        }
    }
}
