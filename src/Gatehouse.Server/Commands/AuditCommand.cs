using System.CommandLine;
using Gatehouse.Audit;

namespace Gatehouse.Server.Commands;

/// <summary><c>gatehouse audit tail</c>.</summary>
internal static class AuditCommand
{
    private static readonly (string Name, Func<AuditRow, string?> Value)[] Columns =
    [
        ("time", row => Shown.Time(row.At)),
        ("action", row => row.Action),
        ("outcome", row => row.Outcome),
        ("user", row => row.UserId?.ToString()),
        ("session", row => row.SessionId?.ToString()),
        ("actor", row => row.Actor.ToString()),
        ("ip", row => row.Ip),
        ("request", row => Shown.Text(row.RequestId)),
        ("details", row => Shown.Text(row.Details)),
    ];

    public static Command Create(CommandLine line) => new("audit", "Read the audit trail.")
    {
        Tail(line),
    };

    private static Command Tail(CommandLine line)
    {
        var limit = new Option<int>("--limit") { DefaultValueFactory = _ => 20, Description = "How many events to begin with." };
        limit.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.GetValueOrDefault<int>() is < 0 or > 100_000)
            {
                result.AddError("--limit is a number from 0 to 100000.");
            }
        });
        var ofUser = new Option<string>("--user") { Description = "Only events of this user (e-mail address or user id)." };
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on with new events, one line each, until interrupted." };
        var command = new Command("tail", "Show the newest events, the latest last.") { limit, ofUser, follow };
        command.SetAction((parsed, ct) => line.WithStore(
            async services =>
            {
                var audit = services.GetRequiredService<ReadAudit>();
                Guid? user = null;
                if (parsed.GetValue(ofUser) is { } who)
                {
                    // An erased user has no address any more, but the trail keeps the id.
                    user = Guid.TryParse(who, out var id) ? id : (await UserCommand.Find(services, who, ct))?.UserId;
                    if (user is null)
                    {
                        return CommandLine.Fail("there is no such user.");
                    }
                }

                if (!parsed.GetValue(follow))
                {
                    line.Show(parsed, await audit.Newest(user, parsed.GetValue(limit), ct), Columns);
                    return 0;
                }

                return await Follow(line, parsed, audit.Follow(user, parsed.GetValue(limit), ct));
            },
            ct));
        return command;
    }

    private static async Task<int> Follow(CommandLine line, ParseResult parsed, IAsyncEnumerable<AuditRow> rows)
    {
        try
        {
            await foreach (var row in rows)
            {
                line.ShowLine(parsed, row, Columns);
            }
        }
        catch (OperationCanceledException)
        {
            // Interrupting is how one leaves.
        }

        return 0;
    }
}
