using System.CommandLine;
using Gatehouse.Keys;

namespace Gatehouse.Server.Commands;

/// <summary><c>gatehouse key list | rotate</c>.</summary>
internal static class KeyCommand
{
    public static Command Create(CommandLine line) => new("key", "List and rotate the keys of the deployment.")
    {
        List(line),
        Rotate(line),
    };

    private static Command List(CommandLine line)
    {
        var command = new Command("list", "List every key; what they are stays sealed.");
        command.SetAction((parsed, ct) => line.WithStore(
            services =>
            {
                line.Show(
                    parsed,
                    services.GetRequiredService<KeyRing>().List(),
                    ("number", key => Shown.Number(key.Number)),
                    ("use", key => Name(key.Use)),
                    ("state", key => key.State.ToString().ToLowerInvariant()),
                    ("published", key => Shown.Time(key.PublishedAt)),
                    ("activated", key => Shown.Time(key.ActivatedAt)),
                    ("retired", key => Shown.Time(key.RetiredAt)),
                    ("kid", key => key.Kid.Length > 0 ? key.Kid : null));
                return Task.FromResult(0);
            },
            ct));
        return command;
    }

    private static Command Rotate(CommandLine line)
    {
        var use = new Option<KeyUse>("--use") { DefaultValueFactory = _ => KeyUse.Signing, Description = "signing or refresh." };
        use.AcceptOnlyFromAmong("signing", "refresh", "secret");
        var now = new Option<bool>("--now")
        {
            Description = "Do not wait until every verifier knows the next key: some may refuse new tokens for a moment.",
        };
        var command = new Command("rotate", "Retire the current key and use the next one; a running server follows within a minute.") { use, now };
        command.SetAction((parsed, ct) => line.WithStore(
            async services =>
            {
                var wanted = parsed.GetValue(use);
                if (wanted == KeyUse.Secret)
                {
                    return CommandLine.Fail("the secret key does not rotate: what was derived from it must stay readable.");
                }

                switch (await services.GetRequiredService<KeyRing>().Rotate(wanted, parsed.GetValue(now), ct))
                {
                    case Rotation.Rotated rotated:
                        var (retired, current, next) =
                            (Shown.Number(rotated.Retired), Shown.Number(rotated.Current), Shown.Number(rotated.Next));
                        line.Done(
                            parsed,
                            $"Key {current} is now the {Name(wanted)} key; {retired} is retired, {next} is next.",
                            ("use", Name(wanted)),
                            ("retired", retired),
                            ("current", current),
                            ("next", next));
                        return 0;
                    case Rotation.TooEarly early:
                        return CommandLine.Fail(
                            $"too early: not every verifier knows the next {Name(wanted)} key yet. Possible from {Shown.Time(early.PossibleFrom)}, "
                            + "or at once with --now.");
                    default:
                        return CommandLine.Fail("another process rotated this key just now.");
                }
            },
            ct));
        return command;
    }

    private static string Name(KeyUse use) => use.ToString().ToLowerInvariant();
}
