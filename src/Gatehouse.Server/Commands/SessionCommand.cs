using System.CommandLine;
using System.Globalization;
using Gatehouse.Sessions;

namespace Gatehouse.Server.Commands;

/// <summary><c>gatehouse session list | revoke</c>.</summary>
internal static class SessionCommand
{
    public static Command Create(CommandLine line) => new("session", "List and revoke sessions.")
    {
        List(line),
        Revoke(line),
    };

    private static Command List(CommandLine line)
    {
        var who = new Argument<string>("user") { Description = "An e-mail address or a user id." };
        var command = new Command("list", "List a user's live sessions, newest first.") { who };
        command.SetAction((parsed, ct) => line.WithStore(
            async services =>
            {
                if (await UserCommand.Find(services, parsed.GetValue(who)!, ct) is not { } user)
                {
                    return CommandLine.Fail("there is no such user.");
                }

                var rows = await services.GetRequiredService<SessionStore>().ListLive(user.UserId, 1000, ct);
                line.Show(
                    parsed,
                    rows,
                    ("id", row => row.Snapshot.SessionId.ToString()),
                    ("method", row => row.Method),
                    ("ip", row => row.Ip),
                    ("created", row => Shown.Time(row.CreatedAt)),
                    ("last seen", row => Shown.Time(row.LastAccessedAt)),
                    ("agent", row => row.UserAgent));
                return 0;
            },
            ct));
        return command;
    }

    private static Command Revoke(CommandLine line)
    {
        var session = new Argument<Guid?>("session") { Arity = ArgumentArity.ZeroOrOne, Description = "A session id." };
        var ofUser = new Option<string>("--user") { Description = "End all sessions of this user (e-mail address or user id)." };
        var reason = new Option<string>("--reason") { DefaultValueFactory = _ => "revoked_by_operator", Description = "A reason code." };
        var command = new Command("revoke", "End one session, or all of a user; a running server sees it at once.") { session, ofUser, reason };
        command.SetAction((parsed, ct) => line.WithStore(
            async services =>
            {
                var revoke = services.GetRequiredService<RevokeSessions>();
                var why = parsed.GetValue(reason)!;
                if (parsed.GetValue(ofUser) is { } who)
                {
                    if (parsed.GetValue(session) is not null)
                    {
                        return CommandLine.Fail("name a session id or --user, not both.");
                    }

                    return await UserCommand.Find(services, who, ct) is not { } user
                        ? CommandLine.Fail("there is no such user.")
                        : Ended(line, parsed, await line.Working(
                            parsed,
                            "Ending sessions …",
                            () => revoke.AllOfUser(user.UserId, null, why, Actor.CommandLine, Origin.CommandLine, ct)));
                }

                return parsed.GetValue(session) is not { } id
                    ? CommandLine.Fail("name a session id, or --user.")
                    : await services.GetRequiredService<SessionStore>().Find(id, ct) is null
                        ? CommandLine.Fail("there is no such session.")
                        : Ended(line, parsed, await revoke.One(id, why, Actor.CommandLine, Origin.CommandLine, ct));
            },
            ct));
        return command;
    }

    private static int Ended(CommandLine line, ParseResult parsed, IReadOnlyList<SessionSnapshot> ended)
    {
        var count = ended.Count.ToString(CultureInfo.InvariantCulture);
        line.Done(parsed, $"Sessions ended: {count}.", ("sessions", count));
        return 0;
    }
}
