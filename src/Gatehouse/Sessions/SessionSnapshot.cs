using System.Text.Json;
using System.Text.Json.Serialization;
using Gatehouse.Storage;

namespace Gatehouse.Sessions;

/// <summary>
/// A session as every enforcer sees it. Each change makes a snapshot with a higher version; one with a lower version is never
/// applied over it, and nothing is applied over a revoked one.
/// </summary>
public sealed record SessionSnapshot
{
    internal const string Columns = """
        session_id, kind, client_id, session_user_id, session_tenant_id, session_status, version, absolute_until, roles,
        permission_version, scope, amr, auth_time, dpop_jkt, secret_hash, revoked_at, reason_code, revoked_by
        """;

    internal const int ColumnCount = 18;

    /// <summary>The session; the <c>sid</c> of its access tokens.</summary>
    public required Guid SessionId { get; init; }

    /// <summary>One of <see cref="SessionKind"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>The OAuth client it belongs to; empty for our own surfaces.</summary>
    public required string ClientId { get; init; }

    /// <summary>The user; the <c>sub</c> of its access tokens.</summary>
    public required Guid UserId { get; init; }

    /// <summary>The tenant it works in; null until one is chosen.</summary>
    public Guid? TenantId { get; init; }

    /// <summary><see cref="SessionStatus.Active"/> or <see cref="SessionStatus.Revoked"/>.</summary>
    public required string Status { get; init; }

    /// <summary>Rises with every published change: the larger of the last one plus one, and now in Unix ms.</summary>
    public required long Version { get; init; }

    /// <summary>The absolute limit, Unix ms. The idle limit is checked at refresh.</summary>
    public required long ExpiresAt { get; init; }

    /// <summary>The role in the tenant; empty without one.</summary>
    public required string Roles { get; init; }

    /// <summary>When that role was last given or changed, Unix ms.</summary>
    public required long PermissionVersion { get; init; }

    /// <summary>Space-separated scopes (RFC 6749 §3.3).</summary>
    public required string Scope { get; init; }

    /// <summary>How the user proved who they are (RFC 8176): <c>pwd</c>, <c>otp</c>, <c>sms</c>, <c>fed</c>, <c>hwk</c>.</summary>
    public required string Amr { get; init; }

    /// <summary>When they did, Unix ms.</summary>
    public required long AuthTime { get; init; }

    /// <summary>The thumbprint of the key the session is bound to (RFC 9449 §6.1); empty for none.</summary>
    public required string DpopJkt { get; init; }

    /// <summary>For a personal token the hash of its secret; otherwise empty.</summary>
    public required string SecretHash { get; init; }

    /// <summary>When it was revoked, Unix ms; 0 while active.</summary>
    public required long RevokedAt { get; init; }

    /// <summary>Why it was revoked; empty while active.</summary>
    public required string ReasonCode { get; init; }

    /// <summary>Who revoked it, as <c>type:id</c>; empty while active.</summary>
    public required string Actor { get; init; }

    /// <summary>Whether the session may be used at this moment.</summary>
    public bool IsLive(long now) => Status == SessionStatus.Active && now < ExpiresAt;

    /// <summary>Whether <paramref name="other"/> tells something newer about the same session.</summary>
    public bool IsSupersededBy(SessionSnapshot other) => Status != SessionStatus.Revoked
        && (other.Version > Version || other.Status == SessionStatus.Revoked);

    internal static SessionSnapshot Read(Row row) => new()
    {
        SessionId = row.Id(0),
        Kind = SessionKind.Intern(row.Text(1)),
        ClientId = row.Text(2),
        UserId = row.Id(3),
        TenantId = row.IdOrNull(4),
        Status = SessionStatus.Intern(row.Text(5)),
        Version = row.Long(6),
        ExpiresAt = row.Long(7),
        Roles = row.Text(8),
        PermissionVersion = row.Long(9),
        Scope = row.Text(10),
        Amr = row.Text(11),
        AuthTime = row.Long(12),
        DpopJkt = row.Text(13),
        SecretHash = row.Text(14),
        RevokedAt = row.Long(15),
        ReasonCode = row.Text(16),
        Actor = row.Text(17),
    };

    internal string ToJson() => JsonSerializer.Serialize(this, SnapshotJson.Default.SessionSnapshot);

    internal static SessionSnapshot FromJson(string json) => JsonSerializer.Deserialize(json, SnapshotJson.Default.SessionSnapshot)
        ?? throw new InvalidOperationException("The session feed holds an empty snapshot.");
}

/// <summary>What a session is for.</summary>
public static class SessionKind
{
    /// <summary>A person on a page or in an application of ours.</summary>
    public const string Browser = "browser";

    /// <summary>A device that signed in with a code and may hold a key.</summary>
    public const string Device = "device";

    /// <summary>An authorization that a user gave an OAuth client.</summary>
    public const string OAuth = "oauth";

    /// <summary>A personal access token.</summary>
    public const string PersonalToken = "pat";

    /// <summary>The standing session of an OAuth client's own tokens.</summary>
    public const string Client = "client";

    internal static string Intern(string kind) => kind switch
    {
        Browser => Browser,
        Device => Device,
        OAuth => OAuth,
        PersonalToken => PersonalToken,
        _ => Client,
    };
}

/// <summary>A session goes from active to revoked, and never back.</summary>
public static class SessionStatus
{
    /// <summary>It may be used until a limit is reached.</summary>
    public const string Active = "active";

    /// <summary>It is over, whatever follows.</summary>
    public const string Revoked = "revoked";

    internal static string Intern(string status) => status == Active ? Active : Revoked;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SessionSnapshot))]
internal sealed partial class SnapshotJson : JsonSerializerContext;
