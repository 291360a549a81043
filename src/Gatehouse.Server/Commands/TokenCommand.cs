using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gatehouse.Sessions;
using Gatehouse.Tokens;

namespace Gatehouse.Server.Commands;

/// <summary><c>gatehouse token inspect</c>.</summary>
internal static class TokenCommand
{
    private static readonly string[] Times = ["auth_time", "exp", "iat", "nbf"];

    public static Command Create(CommandLine line) => new("token", "Explain tokens.")
    {
        Inspect(line),
    };

    private static Command Inspect(CommandLine line)
    {
        var text = new Argument<string>("token")
        {
            Description = "An access or a refresh token; - reads it from standard input, where no list of processes shows it.",
        };
        var command = new Command("inspect", "Say what a token says, whether we made it, and how its session is; never a secret.") { text };
        command.SetAction((parsed, ct) => line.WithStore(
            async services =>
            {
                var given = parsed.GetValue(text)!;
                var token = given == "-" ? await Console.In.ReadLineAsync(ct) ?? "" : given;
                var now = services.GetRequiredService<TimeProvider>().Now();
                IReadOnlyList<(string Name, string? Value)> fields;
                switch (await services.GetRequiredService<InspectToken>().Inspect(token.Trim(), ct))
                {
                    case TokenReport.Access access:
                        fields = Fields(access, now);
                        break;
                    case TokenReport.Refresh refresh:
                        fields = Fields(refresh, now);
                        break;
                    default:
                        return CommandLine.Fail("this is no token of ours.");
                }

                // What a forged token says must not take the place of what we say about it.
                line.Show(parsed, [.. fields.DistinctBy(field => field.Name, StringComparer.Ordinal)]);
                return 0;
            },
            ct));
        return command;
    }

    private static (string, string?)[] Fields(TokenReport.Access access, long now) =>
    [
        ("token", "access"),
        ("signature", access.Signature switch
        {
            TokenSignature.Valid => "valid",
            TokenSignature.Invalid => "not valid: what it says is not ours",
            _ => "by an unknown key: what it says is not ours",
        }),
        ("expired", Seconds(access.Claims["exp"]) is { } exp && exp * 1000 > now ? "no" : "yes"),
        .. Fields(access.Session, now),
        .. access.Header.Select(member => (Shown.Text(member.Key), Value(member))),
        .. access.Claims.Select(member => (Shown.Text(member.Key), Value(member))),
    ];

    private static (string, string?)[] Fields(TokenReport.Refresh refresh, long now) =>
    [
        ("token", "refresh"),
        ("opened by", refresh.Kind == RefreshTokenKind.Federated ? "a provider" : "us"),
        ("key number", Shown.Number(refresh.KeyNumber)),
        ("session", refresh.SessionId.ToString()),
        ("generation", Shown.Number(refresh.Generation)),
        ("of this session", refresh.IsOfSession ? "yes" : "no"),
        ("standing", refresh.Session is not { } session ? null
            : refresh.Generation == session.Generation ? "the current token"
            : refresh.Generation > session.Generation ? "ahead of the store: was a backup restored?"
            : $"used before: the session is at generation {Shown.Number(session.Generation)}"),
        .. Fields(refresh.Session, now),
    ];

    private static IEnumerable<(string, string?)> Fields(SessionState? session, long now)
    {
        if (session is null)
        {
            return [("session status", "unknown")];
        }

        var isOver = session.Status == SessionStatus.Active && now >= Math.Min(session.IdleUntil, session.AbsoluteUntil);
        return
        [
            ("session status", isOver ? "expired" : session.Status),
            ("session user", session.UserId.ToString()),
            ("session tenant", session.TenantId?.ToString()),
            ("session generation", Shown.Number(session.Generation)),
            ("session idle until", Shown.Time(session.IdleUntil)),
            ("session ends", Shown.Time(session.AbsoluteUntil)),
            ("session revoked", Shown.Time(session.RevokedAt)),
            ("session reason", session.Reason.Length > 0 ? session.Reason : null),
        ];
    }

    private static string? Value(KeyValuePair<string, JsonNode?> member) => member.Value switch
    {
        null => null,
        var time when Times.Contains(member.Key) && Seconds(time) is { } seconds => Shown.Time(seconds * 1000),
        JsonValue value when value.GetValueKind() == JsonValueKind.String => Shown.Text(value.GetValue<string>()),
        JsonArray list => string.Join(' ', list.Select(item => Shown.Text(item?.ToString() ?? ""))),
        var other => Shown.Text(other.ToJsonString()),
    };

    // What a signature does not vouch for may hold any number.
    private static long? Seconds(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue<long>(out var seconds) && seconds is > 0 and < 253_402_300_800 ? seconds : null;
}
