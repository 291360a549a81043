using Gatehouse.Http.OpenApi;
using Gatehouse.Sessions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gatehouse.Http.Surfaces.Portal;

/// <summary>A user's own sessions: see them, end one, end all, and revoke by token.</summary>
public sealed class PortalSessions(
    SessionStore store,
    SessionCache cache,
    RevokeSessions revoke,
    SignOut signOut,
    IdempotentWrites writes,
    Bearer bearer,
    HttpOptions options,
    TimeProvider time)
{
    private const int MaxListed = 1000;

    /// <summary>Maps the routes below <c>/api/v1/auth</c>.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapSurface(Tag.Portal, "/api/v1/auth");
        group.MapGet("/sessions", List)
            .Describe("My sessions", "Where the user is signed in, newest first.")
            .NeedsBearer()
            .Answers<SessionsAnswer>(200, "The live sessions.");
        group.MapDelete("/sessions/{id}", Delete)
            .Describe("End one of my sessions", "Its tokens are refused from now on. Ending it again is fine; somebody else's is as good as none.")
            .NeedsBearer()
            .Answers<SuccessAnswer>(200, "Ended.")
            .Fails(404, "NOT_FOUND");
        group.MapPost("/logout-all", LogoutAll)
            .Describe("End all my sessions", "With `exceptCurrent`, all but the one that asks.")
            .Accepts(LogoutAllBody.Read, isOptional: true)
            .NeedsBearer()
            .HappensOnce()
            .Answers<RevokedAnswer>(200, "Ended.");
        group.MapPost("/revoke", Revoke)
            .Describe("Revoke a token", "Ends the session of an access or a refresh token; needs no other credential. Whatever is sent, the answer is the same.")
            .Accepts(RevokeBody.Read)
            .Answers<SuccessAnswer>(200, "The token is worth nothing now, whatever it was.");
    }

    private async Task List(HttpContext http)
    {
        if (await bearer.Require(http) is not { } session)
        {
            return;
        }

        var rows = await store.ListLive(session.UserId, MaxListed, http.RequestAborted);
        http.Response.Headers.CacheControl = "no-store";
        await http.Answer(
            200, new SessionsAnswer([.. rows.Select(row => SessionView.Of(row, session.SessionId))]), PortalJson.Default.SessionsAnswer);
    }

    private async Task Delete(HttpContext http)
    {
        if (await bearer.Require(http) is not { } session)
        {
            return;
        }

        // Somebody else's session, an unknown and a malformed id look the same; one's own that is over is fine.
        if (http.RouteId() is not { } id
            || await cache.Get(id, http.RequestAborted) is not { } target
            || target.UserId != session.UserId)
        {
            await http.Fail(ApiError.NotFound, time);
            return;
        }

        await revoke.Own(id, session.UserId, "revoked_by_user", http.Origin(options), http.RequestAborted);
        await http.Answer(200, new SuccessAnswer(Success: true), PortalJson.Default.SuccessAnswer);
    }

    private async Task LogoutAll(HttpContext http)
    {
        if (await bearer.Require(http) is not { } session
            || await http.ReadBody(LogoutAllBody.Read, time, isOptional: true) is not { } body)
        {
            return;
        }

        await writes.Answer<IReadOnlyList<SessionSnapshot>>(
            http,
            session.UserId.ToString(),
            once => revoke.AllOfUser(
                session.UserId,
                body.ExceptCurrent ? session.SessionId : null,
                "logout_all",
                Actor.User(session.UserId),
                http.Origin(options),
                http.RequestAborted,
                once),
            ended => Wire.Reply(200, new RevokedAnswer(Success: true, ended.Count), PortalJson.Default.RevokedAnswer));
    }

    private async Task Revoke(HttpContext http)
    {
        if (await http.ReadBody(RevokeBody.Read, time) is { } body)
        {
            await signOut.Revoke(body.Token, http.Origin(options), http.RequestAborted);
            await http.Answer(200, new SuccessAnswer(Success: true), PortalJson.Default.SuccessAnswer);
        }
    }
}

/// <summary><c>GET sessions</c>, newest first.</summary>
public sealed record SessionsAnswer(IReadOnlyList<SessionView> Sessions);

/// <summary>One session in the list.</summary>
public sealed record SessionView(
    Guid Id,
    bool Current,
    string Method,
    string? DeviceName,
    string Ip,
    string UserAgent,
    string CreatedAt,
    string LastAccessedAt,
    string? ClientName)
{
    internal static SessionView Of(SessionRow row, Guid current) => new(
        row.Snapshot.SessionId,
        row.Snapshot.SessionId == current,
        row.Method,
        row.DeviceName.Length > 0 ? row.DeviceName : null,
        row.Ip,
        row.UserAgent,
        Wire.Time(row.CreatedAt),
        Wire.Time(row.LastAccessedAt),
        ClientName: null);
}

/// <summary><c>POST logout-all</c>; the body may be missing.</summary>
public sealed record LogoutAllBody(bool ExceptCurrent)
{
    internal static LogoutAllBody Read(JsonFields fields) => new(fields.Flag("exceptCurrent", otherwise: false));
}

/// <summary><c>POST revoke</c>: an access or a refresh token, under either name.</summary>
public sealed record RevokeBody(string Token)
{
    // Any string is answered alike, however empty, long or strange.
    internal static RevokeBody Read(JsonFields fields) => new(fields.AnyText("token", alias: "refreshToken"));
}

/// <summary>Done.</summary>
public sealed record SuccessAnswer(bool Success);

/// <summary>How many sessions ended.</summary>
public sealed record RevokedAnswer(bool Success, int RevokedSessions);
