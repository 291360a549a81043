using System.Text.Json.Serialization;
using Gatehouse.Challenges;
using Gatehouse.Delivery;
using Gatehouse.Http.OpenApi;
using Gatehouse.Sessions;
using Gatehouse.Throttling;
using Gatehouse.Tokens;
using Gatehouse.Users;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gatehouse.Http.Surfaces.Public;

/// <summary>Sign in with a code by e-mail: ask for one, hand it in.</summary>
public sealed class EmailCodes(
    SendCode send, ConfirmEmailCode confirm, Outbox outbox, AccessTokenIssuer issuer, HttpOptions options, TimeProvider time)
{
    private static readonly TimeSpan AccessTokenLife = TimeSpan.FromSeconds(900);

    // One message for a code that is wrong, expired, used, suppressed or exhausted, and for a user who is blocked.
    private static readonly ApiError InvalidCode = new(401, "INVALID_CODE", "The code is not valid. Check it, or ask for a new one.");

    /// <summary>Maps the routes.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapSurface(Tag.Public, "/api/v1/public/auth");
        group.MapPost("/send-email-code", Send)
            .Describe("Ask for a code by e-mail", """
                Sends a code of six digits, good for ten minutes, to any address that may sign in. The answer is the same for every address,
                whether or not a message goes out; within a minute of the last message it names the code that is already on its way.
                """)
            .Accepts(SendCodeBody.Read)
            .TakesHeader("Accept-Language")
            .Answers<SendCodeAnswer>(200, "An id to confirm with.", Shown.CacheControl)
            .IsThrottled();
        group.MapPost("/confirm-email-code", Confirm)
            .Describe("Sign in with the code", """
                Makes the user if the address has none yet. The same request again gets the same session, for at least five minutes; its tokens
                come again until the first of them is refreshed. Five wrong codes end the challenge. With a `client_public_key` there are no
                tokens: the session is used by proofs of that key.
                """)
            .Accepts(ConfirmCodeBody.Read)
            .TakesHeader("Accept-Language")
            .Answers<ConfirmCodeAnswer>(200, "The session, and its tokens if `tokens` was true.", Shown.CacheControl)
            .IsThrottled()
            .Fails(401, "INVALID_CODE", "SESSION_REVOKED")
            .Fails(409, "SESSION_LIMIT_REACHED");
    }

    private async Task Send(HttpContext http)
    {
        if (await http.ReadBody(SendCodeBody.Read, time) is not { } body)
        {
            return;
        }

        var request = new CodeRequest(
            ChallengePurpose.EmailSignIn, body.Email, "sign_in_code", Locale.Of(http), http.Origin(options));
        switch (await send.Send(request, http.RequestAborted))
        {
            case SendCodeOutcome.Accepted accepted:
                // Only then: a worker at work beside the answer would make it slower for those who get a message.
                http.Response.OnCompleted(() =>
                {
                    outbox.Notify();
                    return Task.CompletedTask;
                });
                http.NeverStore();
                await http.Answer(200, new SendCodeAnswer(accepted.ChallengeId), PublicJson.Default.SendCodeAnswer);
                break;
            case SendCodeOutcome.Throttled throttled:
                await TooMany(http, throttled.Permit, "codes asked for");
                break;
        }
    }

    private async Task Confirm(HttpContext http)
    {
        if (await http.ReadBody(ConfirmCodeBody.Read, time) is not { } body)
        {
            return;
        }

        // Ids are opaque to clients, so one that is not even a UUID is simply unknown.
        if (!Guid.TryParseExact(body.ChallengeId, "D", out var challengeId))
        {
            await http.Fail(InvalidCode, time);
            return;
        }

        var registration = Preferences.Default with
        {
            Locale = Locale.Of(http),
            TimeZone = body.TimeZone ?? Preferences.Default.TimeZone,
        };
        var request = new CodeConfirmation(
            challengeId,
            body.Code,
            body.ClientPublicKey?.Thumbprint ?? "",
            body.Device?.DeviceId ?? "",
            body.Device?.DeviceName ?? "",
            registration,
            body.RememberMe,
            http.Origin(options));
        await (await confirm.Confirm(request, http.RequestAborted) switch
        {
            // A session with a key of its own is shown by proofs of that key; tokens that anybody could use would undo that.
            ConfirmOutcome.Confirmed c => Welcome(http, c, body.Tokens && body.ClientPublicKey is null),
            ConfirmOutcome.Throttled t => TooMany(http, t.Permit, "codes handed in"),
            ConfirmOutcome.Revoked => http.Fail(
                new ApiError(401, "SESSION_REVOKED", "This session has ended. Please sign in again."), time),
            ConfirmOutcome.SessionLimitReached => http.Fail(
                new ApiError(409, "SESSION_LIMIT_REACHED", "You are signed in on too many devices. Sign out on one of them first."), time),
            _ => http.Fail(InvalidCode, time),
        });
    }

    private Task TooMany(HttpContext http, Permit permit, string what)
    {
        http.ShowLimit(permit);
        return http.Fail(ApiError.TooMany(permit, what, time.Now()), time);
    }

    private Task Welcome(HttpContext http, ConfirmOutcome.Confirmed confirmed, bool wantsTokens)
    {
        http.NeverStore();
        if (!wantsTokens || confirmed.RefreshToken.Length == 0)
        {
            return http.Answer(200, new ConfirmCodeAnswer(confirmed.Session.SessionId), PublicJson.Default.ConfirmCodeAnswer);
        }

        var token = issuer.Issue(confirmed.Session, AccessTokenLife);
        var answer = new ConfirmCodeAnswer(confirmed.Session.SessionId)
        {
            AccessToken = token.Text,
            RefreshToken = confirmed.RefreshToken,
            ExpiresIn = token.ExpiresIn,
        };
        return http.Answer(200, answer, PublicJson.Default.ConfirmCodeAnswer);
    }
}

/// <summary><c>POST send-email-code</c>.</summary>
public sealed record SendCodeBody(string Email)
{
    internal static SendCodeBody Read(JsonFields fields)
    {
        var email = EmailAddress.Normalize(fields.Text("email", EmailAddress.MaxLength));
        if (email.Length > 0 && !EmailAddress.IsPlausible(email))
        {
            fields.Refuse("email", "is not an e-mail address.");
        }

        return new(email);
    }
}

/// <summary>An id to confirm with, whether or not a message was sent.</summary>
public sealed record SendCodeAnswer([property: JsonPropertyName("challenge_id")] Guid ChallengeId);

/// <summary><c>POST confirm-email-code</c>.</summary>
public sealed record ConfirmCodeBody(
    string ChallengeId, string Code, PublicJwk? ClientPublicKey, string? TimeZone, DeviceBody? Device, bool Tokens, bool RememberMe)
{
    internal static ConfirmCodeBody Read(JsonFields fields) => new(
        fields.Text("challenge_id", 64),
        fields.Text("code", 32),
        fields.Object("client_public_key", ReadKey, isOpen: true),
        fields.TimeZone("time_zone"),
        fields.Object("device", DeviceBody.Read),
        fields.Flag("tokens", otherwise: false),
        fields.Flag("remember_me", otherwise: true));

    // A JWK may say more about its key than we need (RFC 7517 §4).
    private static PublicJwk? ReadKey(JsonFields jwk)
    {
        if (!PublicJwk.TryCreate(jwk.Text("kty", 8), jwk.Text("crv", 16), jwk.Text("x", 64), jwk.Text("y", 64), out var key))
        {
            jwk.Refuse("x", "and y must be a point of the curve P-256, with kty EC and crv P-256.");
        }

        return key;
    }
}

/// <summary>What a client tells about the device it runs on.</summary>
public sealed record DeviceBody(
    string DeviceId,
    string? DeviceType,
    string? DeviceName,
    string? Platform,
    string? PlatformVersion,
    string? AppVersion,
    string? FcmToken)
{
    internal static DeviceBody Read(JsonFields fields)
    {
        var id = fields.Text("device_id", 64);
        if (id.Length > 0 && !Guid.TryParseExact(id, "D", out _))
        {
            fields.Refuse("device_id", "must be a UUID.");
        }

        return new(
            id,
            fields.OptionalText("device_type", 32),
            fields.OptionalText("device_name", 128),
            fields.OptionalText("platform", 64),
            fields.OptionalText("platform_version", 64),
            fields.OptionalText("app_version", 64),
            fields.OptionalText("fcm_token", 512));
    }
}

/// <summary>The session, and its tokens if the client asked for them and nobody has refreshed yet. <c>expires_in</c> is in seconds.</summary>
public sealed record ConfirmCodeAnswer([property: JsonPropertyName("device_session_id")] Guid DeviceSessionId)
{
    /// <summary>The access token.</summary>
    [JsonPropertyName("access_token")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? AccessToken { get; init; }

    /// <summary>The refresh token.</summary>
    [JsonPropertyName("refresh_token")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? RefreshToken { get; init; }

    /// <summary>The access token's life.</summary>
    [JsonPropertyName("expires_in")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? ExpiresIn { get; init; }
}

[JsonSerializable(typeof(SendCodeAnswer))]
[JsonSerializable(typeof(ConfirmCodeAnswer))]
internal sealed partial class PublicJson : JsonSerializerContext;
