using System.Text.Json.Serialization;
using Gatehouse.Http.OpenApi;
using Gatehouse.Passwords;
using Gatehouse.Sessions;
using Gatehouse.Users;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using SessionOptions = Gatehouse.Sessions.SessionOptions;

namespace Gatehouse.Http.Surfaces.Portal;

/// <summary>Sign in, stay signed in, sign out: the same four routes on the Portal and on the V2 surface.</summary>
public sealed class PortalAuth(
    PasswordSignIn signIn,
    RefreshSession refresh,
    SignOut signOut,
    AccessTokenIssuer issuer,
    AccountViews accounts,
    Bearer bearer,
    SessionOptions sessions,
    HttpOptions options,
    TimeProvider time)
{
    /// <summary>Maps the routes below <c>/api/v1/auth</c> or <c>/v2/auth</c>.</summary>
    public void Map(IEndpointRouteBuilder routes, string surface, string prefix)
    {
        var group = routes.MapSurface(surface, prefix);
        group.MapPost("/login", Login)
            .Describe("Sign in", "Opens a session with e-mail and password. Unknown address and wrong password get the same answer in the same time.")
            .Accepts(LoginRequest.Read)
            .Answers<LoginAnswer>(200, "Signed in.")
            .Fails(401, "INVALID_CREDENTIALS")
            .Fails(409, "SESSION_LIMIT_REACHED")
            .IsThrottled(shownIn: [200, 401]);
        group.MapPost("/refresh", Refresh)
            .Describe("Refresh", "Trades the refresh token for a new access token and the next refresh token. A token used again later than its grace ends the session.")
            .Accepts(RefreshBody.Read)
            .MayBeRepeated()
            .Answers<RefreshAnswer>(200, "Refreshed.")
            .Fails(401, "REFRESH_TOKEN_EXPIRED", "REFRESH_TOKEN_INVALID", "REFRESH_TOKEN_REUSED", "SESSION_REVOKED")
            .IsThrottled(shownIn: [200]);
        group.MapPost("/logout", Logout)
            .Describe("Sign out", "Ends the session of the bearer token, of the refresh token, or of both if they belong together. Repeating it is fine.")
            .Accepts(LogoutBody.Read, isOptional: true)
            .MayHaveBearer()
            .Answers<LogoutAnswer>(200, "Signed out.")
            .Fails(401, "REFRESH_TOKEN_INVALID", "TOKEN_INVALID", "UNAUTHENTICATED");
        group.MapGet("/me", Me)
            .Describe("Who am I?", "The user, the tenant the session works in, and what the user may do there.")
            .NeedsBearer()
            .Answers<MeAnswer>(200, "The session's owner.");
    }

    private async Task Login(HttpContext http)
    {
        if (await http.ReadBody(LoginRequest.Read, time) is not { } request)
        {
            return;
        }

        var credential = new PasswordCredential(request.Email, request.Password, request.RememberMe, http.Origin(options));
        await (await signIn.SignIn(credential, http.RequestAborted) switch
        {
            SignInOutcome.SignedIn s => Welcome(http, s),
            SignInOutcome.InvalidCredentials i => Refused(http, i),
            SignInOutcome.Throttled t => Throttled(http, t.Permit, "login attempts"),
            SignInOutcome.SessionLimitReached => http.Fail(
                new ApiError(409, "SESSION_LIMIT_REACHED", "You are signed in on too many devices. Sign out on one of them first."), time),
            _ => http.Fail(ApiError.Unavailable, time),
        });
    }

    private async Task Refresh(HttpContext http)
    {
        if (await http.ReadBody(RefreshBody.Read, time) is not { } body)
        {
            return;
        }

        var retryKey = IdempotencyKey.OfRefresh(http);
        var request = new RefreshRequest(body.RefreshToken, retryKey, "", "", sessions.RotateOnPortal, http.Origin(options));
        await (await refresh.Refresh(request, http.RequestAborted) switch
        {
            RefreshOutcome.Refreshed r => Renewed(http, r),
            RefreshOutcome.Throttled t => Throttled(http, t.Permit, "refreshes of this session"),
            RefreshOutcome.Expired => Unauthorized(http, "REFRESH_TOKEN_EXPIRED", "Refresh token has expired. Please log in again."),
            RefreshOutcome.Revoked => Unauthorized(http, "SESSION_REVOKED", "This session has ended. Please log in again."),
            RefreshOutcome.Reused => Unauthorized(
                http, "REFRESH_TOKEN_REUSED", "This refresh token was used before, so the session was ended. Please log in again."),
            _ => Unauthorized(http, "REFRESH_TOKEN_INVALID", "Refresh token is not valid. Please log in again."),
        });
    }

    private async Task Logout(HttpContext http)
    {
        if (await http.ReadBody(LogoutBody.Read, time, isOptional: true) is not { } body)
        {
            return;
        }

        await (await signOut.Leave(Bearer.TokenOf(http), body.RefreshToken, http.Origin(options), http.RequestAborted) switch
        {
            SignOutOutcome.SignedOut => http.Answer(
                200, new LogoutAnswer(Success: true, "Successfully logged out"), PortalJson.Default.LogoutAnswer),
            SignOutOutcome.Mismatch => http.Fail(
                ApiError.Invalid(new FieldProblem("refreshToken", "does not belong to the session of the bearer token.")), time),
            SignOutOutcome.RefreshTokenInvalid => Unauthorized(http, "REFRESH_TOKEN_INVALID", "Refresh token is not valid."),
            SignOutOutcome.BearerInvalid => bearer.Refuse(http, "TOKEN_INVALID", "The access token is not valid here.").AsTask(),
            _ => bearer.Refuse(http, "UNAUTHENTICATED", "Send a bearer token, a refreshToken, or both.").AsTask(),
        });
    }

    private async Task Me(HttpContext http)
    {
        if (await bearer.Require(http) is { } session)
        {
            var view = await accounts.Get(session, http);
            http.Response.Headers.CacheControl = "no-store";
            await http.Answer(200, view.Me);
        }
    }

    private Task Welcome(HttpContext http, SignInOutcome.SignedIn outcome)
    {
        http.NeverStore();
        http.ShowLimit(outcome.Permit);
        var (session, user, refreshToken, membership, mustChoose) = outcome.Session;
        var token = issuer.Issue(session, sessions.AccessTokenLife);
        var answer = new LoginAnswer(
            Success: true,
            token.Text,
            refreshToken,
            "Bearer",
            token.ExpiresIn,
            UserView.Of(user),
            TenantView.Of(membership?.Tenant),
            session.SessionId)
        {
            TenantSelectionRequired = mustChoose ? true : null,
        };
        return http.Answer(200, answer, PortalJson.Default.LoginAnswer);
    }

    private Task Renewed(HttpContext http, RefreshOutcome.Refreshed outcome)
    {
        http.NeverStore();
        http.ShowLimit(outcome.Permit);
        var token = issuer.Issue(outcome.Session, sessions.AccessTokenLife);
        var answer = new RefreshAnswer(Success: true, token.Text, "Bearer", token.ExpiresIn, outcome.Session.SessionId)
        {
            RefreshToken = sessions.RotateOnPortal ? outcome.RefreshToken : null,
        };
        return http.Answer(200, answer, PortalJson.Default.RefreshAnswer);
    }

    private Task Refused(HttpContext http, SignInOutcome.InvalidCredentials outcome)
    {
        http.ShowLimit(outcome.Permit);
        return Unauthorized(http, "INVALID_CREDENTIALS", "Invalid email or password");
    }

    private Task Throttled(HttpContext http, Throttling.Permit permit, string what)
    {
        http.ShowLimit(permit);
        return http.Fail(ApiError.TooMany(permit, what, time.Now()), time);
    }

    private Task Unauthorized(HttpContext http, string code, string message) => http.Fail(new ApiError(401, code, message), time);
}

/// <summary><c>POST login</c>: e-mail of at most 254 characters, password of at most 1,024 bytes.</summary>
public sealed record LoginRequest(string Email, string Password, bool RememberMe)
{
    internal static LoginRequest Read(JsonFields fields) => new(
        fields.Text("email", EmailAddress.MaxLength), fields.Password("password"), fields.Flag("rememberMe", otherwise: true));
}

/// <summary>The answer to every kind of sign-in. <c>expiresIn</c> is in seconds.</summary>
public sealed record LoginAnswer(
    bool Success,
    string AccessToken,
    string RefreshToken,
    string TokenType,
    int ExpiresIn,
    UserView User,
    TenantView? Tenant,
    Guid SessionId)
{
    /// <summary>Present, and true, when the user must choose among several tenants.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? TenantSelectionRequired { get; init; }
}

/// <summary><c>POST refresh</c>.</summary>
public sealed record RefreshBody(string RefreshToken)
{
    internal static RefreshBody Read(JsonFields fields) => new(fields.Text("refreshToken", 4096));
}

/// <summary>The answer to a refresh. <c>expiresIn</c> is in seconds.</summary>
public sealed record RefreshAnswer(bool Success, string AccessToken, string TokenType, int ExpiresIn, Guid SessionId)
{
    /// <summary>The next refresh token; absent where rotation is off for literal clients.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? RefreshToken { get; init; }
}

/// <summary><c>POST logout</c>; the body may be missing when a bearer token is sent.</summary>
public sealed record LogoutBody(string? RefreshToken)
{
    internal static LogoutBody Read(JsonFields fields) => new(fields.OptionalText("refreshToken", 4096));
}

/// <summary>The answer to a sign-out.</summary>
public sealed record LogoutAnswer(bool Success, string Message);
