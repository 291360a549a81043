using System.Globalization;
using System.Text.Json;
using Gatehouse.Bench.Load;

namespace Gatehouse.Bench.Floors;

/// <summary>
/// The child's side of a floor that is no server: it reads <c>connections milliseconds</c> from standard input, runs so long, and
/// prints what it measured as one line of JSON.
/// </summary>
internal static class FloorProcess
{
    public static async Task<int> Run(string[] arguments)
    {
        switch (arguments)
        {
            case ["kestrel", var port, var bytes]:
                await KestrelFloor.Run(Number(port), Number(bytes));
                return 0;
            case ["argon2id"]:
                return await Answer((_, window) => Task.FromResult(Argon2idFloor.Run(window)));
            case ["sqlite", var file]:
                using (var floor = new SqliteFloor(file))
                    return await Answer((_, window) => Task.FromResult(floor.Run(window)));
            case ["postgres", var connection]:
                await using (var floor = new PostgresFloor(connection))
                    return await Answer(floor.Run);
            default:
                await Console.Error.WriteLineAsync("There is no such floor.");
                return 2;
        }
    }

    private static async Task<int> Answer(Func<int, TimeSpan, Task<Sample>> run)
    {
        while (await Console.In.ReadLineAsync() is { } line)
        {
            var words = line.Split(' ');
            var sample = await run(Number(words[0]), TimeSpan.FromMilliseconds(Number(words[1])));
            await Console.Out.WriteLineAsync(JsonSerializer.Serialize(sample));
        }

        return 0;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
