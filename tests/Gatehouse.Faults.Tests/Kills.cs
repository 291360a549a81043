using System.Globalization;
using Xunit;

namespace Gatehouse.Faults.Tests;

/// <summary>How often and when a test kills: from a seed, which a failure names, so that its order of moments can be had again.</summary>
public sealed class Kills
{
    private const string SeedVariable = "GATEHOUSE_SEED";

    private readonly Random random;

    private Kills(int seed)
    {
        Seed = seed;
        random = new Random(seed);
    }

    public int Seed { get; }

    /// <summary>Ten, or two hundred in a long run.</summary>
    public static int Count => Environment.GetEnvironmentVariable("GATEHOUSE_LONG") == "1" ? 200 : 10;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Runs a test with a fresh seed, or with the one in <c>GATEHOUSE_SEED</c>, and names it if the test fails.</summary>
    public static async Task Run(Func<Kills, Task> test)
    {
        ArgumentNullException.ThrowIfNull(test);
        var kills = new Kills(
            int.TryParse(Environment.GetEnvironmentVariable(SeedVariable), CultureInfo.InvariantCulture, out var seed)
                ? seed
                : Random.Shared.Next());
        try
        {
            await test(kills);
        }
        catch (Exception)
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"{SeedVariable}={kills.Seed} repeats this order of kills.");
            throw;
        }
    }

    /// <summary>Kills the server at a random moment of the load, half of the times in the middle of its first requests.</summary>
    /// <param name="server">The server.</param>
    /// <param name="load">Ends early only when a client fails.</param>
    /// <param name="atLeast">The shortest time until the kill, in milliseconds.</param>
    /// <param name="atMost">The longest.</param>
    public async Task Strike(CrashingServer server, Task load, int atLeast, int atMost)
    {
        ArgumentNullException.ThrowIfNull(server);
        if (random.Next(2) == 0)
        {
            await await Task.WhenAny(server.UnderLoad(), load);
        }

        await Task.Delay(TimeSpan.FromMilliseconds(random.Next(atLeast, atMost + 1)), TimeProvider.System, Ct);
        await server.KillAndRestart();
    }
}
