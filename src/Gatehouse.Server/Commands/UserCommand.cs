using System.CommandLine;
using System.Text;
using Gatehouse.Users;

namespace Gatehouse.Server.Commands;

/// <summary><c>gatehouse user add | block | delete | list</c>.</summary>
internal static class UserCommand
{
    // Without a look-up of breached passwords, length is what a password is worth (NIST SP 800-63B §3.1.1).
    private const int ShortestPassword = 15;
    private const int LongestPassword = 1024;


    public static Command Create(CommandLine line) => new("user", "Add, block, erase and list users.")
    {
        Add(line),
        Block(line),
        Unblock(line),
        Delete(line),
        List(line),
    };

    private static Command Add(CommandLine line)
    {
        var email = new Argument<string>("email");
        var first = new Option<string>("--first-name") { DefaultValueFactory = _ => "" };
        var last = new Option<string>("--last-name") { DefaultValueFactory = _ => "" };
        var isOperator = new Option<bool>("--operator") { Description = "Make the user a platform operator." };
        var command = new Command("add", "Add a user; the password is read from standard input.") { email, first, last, isOperator };
        command.SetAction((parsed, ct) => line.WithStore(
            async services =>
            {
                var address = parsed.GetValue(email)!;
                if (!EmailAddress.IsPlausible(address))
                {
                    return CommandLine.Fail($"'{address}' is not an e-mail address.");
                }

                var password = await Console.In.ReadLineAsync(ct);
                if (string.IsNullOrEmpty(password))
                {
                    return CommandLine.Fail("no password on standard input.");
                }

                if (password.EnumerateRunes().Count() < ShortestPassword || Encoding.UTF8.GetByteCount(password) > LongestPassword)
                {
                    return CommandLine.Fail(
                        $"the password on standard input must have at least {ShortestPassword} characters and at most {LongestPassword} bytes.");
                }

                var wanted = new NewUser(address, password, parsed.GetValue(first)!, parsed.GetValue(last)!)
                {
                    PlatformRole = parsed.GetValue(isOperator) ? "operator" : "",
                };
                switch (await services.GetRequiredService<AddUser>().Add(wanted, Actor.CommandLine, Origin.CommandLine, ct))
                {
                    case AddUserOutcome.Added added:
                        var id = added.User.UserId.ToString();
                        line.Done(parsed, $"Added {added.User.Email} as {id}.", ("id", id), ("email", added.User.Email));
                        return 0;
                    case AddUserOutcome.AddressBlocked:
                        return CommandLine.Fail($"{address} is blocked.");
                    default:
                        return CommandLine.Fail($"{address} has an account already.");
                }
            },
            ct));
        return command;
    }

    private static Command Block(CommandLine line)
    {
        var who = new Argument<string>("user") { Description = "An e-mail address or a user id." };
        var reason = new Option<string>("--reason") { DefaultValueFactory = _ => "blocked_by_operator", Description = "A reason code." };
        var command = new Command("block", "Refuse a user everywhere, at once.") { who, reason };
        command.SetAction((parsed, ct) => line.WithStore(
            async services => await Find(services, parsed.GetValue(who)!, ct) is not { } user
                ? CommandLine.Fail("there is no such user.")
                : Ended(
                    line,
                    parsed,
                    "Blocked",
                    user,
                    await services.GetRequiredService<BlockUser>()
                        .Block(BlockTarget.User(user.UserId), parsed.GetValue(reason)!, Actor.CommandLine, Origin.CommandLine, ct)),
            ct));
        return command;
    }

    private static Command Unblock(CommandLine line)
    {
        var who = new Argument<string>("user") { Description = "An e-mail address or a user id." };
        var reason = new Option<string>("--reason") { DefaultValueFactory = _ => "unblocked_by_operator", Description = "A reason code." };
        var command = new Command("unblock", "Let a user or an address in again; sessions that were ended stay ended.") { who, reason };
        command.SetAction((parsed, ct) => line.WithStore(
            async services =>
            {
                var target = BlockTarget.Parse(parsed.GetValue(who)!);
                if (!await services.GetRequiredService<BlockUser>()
                    .Unblock(target, parsed.GetValue(reason)!, Actor.CommandLine, Origin.CommandLine, ct))
                {
                    return CommandLine.Fail("there is neither such a user nor a block of such an address.");
                }

                line.Done(parsed, $"Unblocked {parsed.GetValue(who)}.", ("target", parsed.GetValue(who)!));
                return 0;
            },
            ct));
        return command;
    }

    private static Command Delete(CommandLine line)
    {
        var who = new Argument<string>("user") { Description = "An e-mail address or a user id." };
        var command = new Command("delete", "Erase a user: end all sessions, empty all personal data, keep the id.") { who };
        command.SetAction((parsed, ct) => line.WithStore(
            async services => await Find(services, parsed.GetValue(who)!, ct) is not { } user
                ? CommandLine.Fail("there is no such user.")
                : Ended(
                    line,
                    parsed,
                    "Erased",
                    user,
                    await services.GetRequiredService<DeleteUser>().Delete(user.UserId, Actor.CommandLine, Origin.CommandLine, ct)),
            ct));
        return command;
    }

    private static Command List(CommandLine line)
    {
        var limit = new Option<int>("--limit") { DefaultValueFactory = _ => 100 };
        var skip = new Option<int>("--skip") { DefaultValueFactory = _ => 0 };
        var command = new Command("list", "List users in the order they were added.") { limit, skip };
        command.SetAction((parsed, ct) => line.WithStore(
            async services =>
            {
                var users = await services.GetRequiredService<UserStore>().List(parsed.GetValue(limit), parsed.GetValue(skip), ct);
                line.Show(
                    parsed,
                    users,
                    ("id", user => user.UserId.ToString()),
                    ("email", user => user.Email),
                    ("name", user => user.Name),
                    ("status", user => user.Status),
                    ("role", user => user.PlatformRole));
                return 0;
            },
            ct));
        return command;
    }

    internal static async Task<User?> Find(IServiceProvider services, string who, CancellationToken ct)
    {
        var users = services.GetRequiredService<UserStore>();
        return Guid.TryParse(who, out var id) ? await users.Find(id, ct) : await users.FindByEmail(who, ct);
    }

    private static int Ended(CommandLine line, ParseResult parsed, string verb, User user, EndUserOutcome outcome)
    {
        if (outcome is not EndUserOutcome.Done done)
        {
            return CommandLine.Fail("there is no such user.");
        }

        var count = done.Sessions.Count.ToString(System.Globalization.CultureInfo.InvariantCulture);
        line.Done(parsed, $"{verb} {user.UserId}; sessions ended: {count}.", ("id", user.UserId.ToString()), ("sessions", count));
        return 0;
    }
}
