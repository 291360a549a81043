using System.Text.Json.Serialization;
using Gatehouse.Sessions;
using Gatehouse.Users;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gatehouse.Http.Surfaces.Internal;

/// <summary>What trusted services may do about sessions: read them, revoke them, set their limit.</summary>
public sealed class InternalSessions(
    SessionStore store, UserStore users, RevokeSessions revoke, SessionLimit limit, HttpOptions options, TimeProvider time)
{
    private const int HighestLimit = 100_000;

    /// <summary>Maps the routes below <c>/api/v1/internal</c>.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/sessions/{id}", Read);
        routes.MapPost("/sessions/{id}/revoke", Revoke);
        routes.MapGet("/users/{id}/sessions", List);
        routes.MapPost("/users/{id}/sessions/revoke-all", RevokeAll);
        routes.MapGet("/config/session-limit", ReadLimit);
        routes.MapPut("/config/session-limit", SetLimit);
    }

    private async Task Read(HttpContext http)
    {
        if (http.RouteId() is { } id && await store.FindRow(id, http.RequestAborted) is { } row)
        {
            await http.Answer(200, InternalSessionView.Of(row), InternalJson.Default.InternalSessionView);
            return;
        }

        await http.Fail(ApiError.NotFound, time);
    }

    private async Task List(HttpContext http)
    {
        if (http.RouteId() is { } id && await users.Find(id, http.RequestAborted) is not null)
        {
            var rows = await store.ListAll(id, HighestLimit, http.RequestAborted);
            await http.Answer(
                200,
                new InternalSessionsAnswer([.. rows.Select(InternalSessionView.Of)]),
                InternalJson.Default.InternalSessionsAnswer);
            return;
        }

        await http.Fail(ApiError.NotFound, time);
    }

    private async Task Revoke(HttpContext http)
    {
        if (await http.ReadBody(MutationBody.Read, time) is not { } body)
        {
            return;
        }

        var affected = http.RouteId() is { } id
            ? await revoke.One(id, body.ReasonCode, body.Actor, http.Origin(options), http.RequestAborted)
            : [];
        await (affected.Count == 0
            ? http.Fail(ApiError.NotFound, time)
            : http.Answer(200, AffectedAnswer.Of(affected), InternalJson.Default.AffectedAnswer));
    }

    private async Task RevokeAll(HttpContext http)
    {
        if (await http.ReadBody(MutationBody.Read, time) is not { } body)
        {
            return;
        }

        if (http.RouteId() is not { } id || await users.Find(id, http.RequestAborted) is null)
        {
            await http.Fail(ApiError.NotFound, time);
            return;
        }

        var affected = await revoke.AllOfUserAgain(id, body.ReasonCode, body.Actor, http.Origin(options), http.RequestAborted);
        await http.Answer(200, AffectedAnswer.Of(affected), InternalJson.Default.AffectedAnswer);
    }

    private async Task ReadLimit(HttpContext http) => await http.Answer(
        200, SessionLimitView.Of(await limit.Read(http.RequestAborted)), InternalJson.Default.SessionLimitView);

    private async Task SetLimit(HttpContext http)
    {
        if (await http.ReadBody(SessionLimitBody.Read, time) is { } body)
        {
            await limit.Set(body.Setting, body.Mutation.ReasonCode, body.Mutation.Actor, http.Origin(options), http.RequestAborted);
            await http.Answer(200, AffectedAnswer.Of([]), InternalJson.Default.AffectedAnswer);
        }
    }

    /// <summary><c>PUT config/session-limit</c>.</summary>
    private sealed record SessionLimitBody(SessionLimitSetting Setting, MutationBody Mutation)
    {
        public static SessionLimitBody Read(JsonFields fields)
        {
            var policy = fields.OneOf("policy", ["evict", "reject"]);
            var setting = new SessionLimitSetting(
                fields.Number("limit", 1, HighestLimit),
                policy == "reject" ? SessionLimitPolicy.Reject : SessionLimitPolicy.Evict);
            return new(setting, MutationBody.Read(fields));
        }
    }
}

/// <summary>Why a change is made, and by whom: with every mutation.</summary>
public sealed record MutationBody(string ReasonCode, Actor Actor)
{
    internal static MutationBody Read(JsonFields fields)
    {
        var reason = fields.Text("reason_code", 64);
        if (reason.Any(c => !char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '_'))
        {
            fields.Refuse("reason_code", "must be of a-z, 0-9 and _.");
        }

        return new(reason, fields.Object("actor", ReadActor, isRequired: true) ?? Actor.System);
    }

    private static Actor ReadActor(JsonFields fields)
    {
        var type = fields.Text("type", 32);
        if (type == Actor.System.Type)
        {
            fields.Refuse("type", "names who asks for the change: user, operator or service.");
        }

        return new(type, fields.Text("id", 128));
    }
}

/// <summary>A session as services see it. Times are ISO 8601 in UTC.</summary>
public sealed record InternalSessionView(
    Guid SessionId,
    string Kind,
    string ClientId,
    Guid UserId,
    Guid? TenantId,
    string Status,
    long Version,
    string ExpiresAt,
    string Roles,
    long PermissionVersion,
    string Scope,
    string Amr,
    string AuthTime,
    string DpopJkt,
    string? RevokedAt,
    string? ReasonCode,
    string? Actor,
    string CreatedAt,
    string LastAccessedAt)
{
    internal static InternalSessionView Of(SessionRow row)
    {
        var s = row.Snapshot;
        var isOver = s.Status == SessionStatus.Revoked;
        return new(
            s.SessionId,
            s.Kind,
            s.ClientId,
            s.UserId,
            s.TenantId,
            s.Status,
            s.Version,
            Wire.Time(s.ExpiresAt),
            s.Roles,
            s.PermissionVersion,
            s.Scope,
            s.Amr,
            Wire.Time(s.AuthTime),
            s.DpopJkt,
            isOver ? Wire.Time(s.RevokedAt) : null,
            isOver ? s.ReasonCode : null,
            isOver ? s.Actor : null,
            Wire.Time(row.CreatedAt),
            Wire.Time(row.LastAccessedAt));
    }
}

/// <summary>A user's sessions, newest first.</summary>
public sealed record InternalSessionsAnswer(IReadOnlyList<InternalSessionView> Sessions);

/// <summary>The answer to every mutation: it is stored and published.</summary>
public sealed record AffectedAnswer(bool Acknowledged, IReadOnlyList<AffectedSession> AffectedSessions)
{
    internal static AffectedAnswer Of(IReadOnlyList<SessionSnapshot> sessions) =>
        new(Acknowledged: true, [.. sessions.Select(s => new AffectedSession(s.SessionId, s.Status, s.Version))]);
}

/// <summary>A session that a mutation concerns, as it is now.</summary>
public sealed record AffectedSession(Guid SessionId, string Status, long Version);

/// <summary>The limit in force; policy is <c>evict</c> or <c>reject</c>.</summary>
public sealed record SessionLimitView(int Limit, string Policy)
{
    internal static SessionLimitView Of(SessionLimitSetting setting) =>
        new(setting.Limit, setting.Policy == SessionLimitPolicy.Reject ? "reject" : "evict");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(AffectedAnswer))]
[JsonSerializable(typeof(AuditAnswer))]
[JsonSerializable(typeof(InternalSessionView))]
[JsonSerializable(typeof(InternalSessionsAnswer))]
[JsonSerializable(typeof(SessionLimitView))]
internal sealed partial class InternalJson : JsonSerializerContext;
