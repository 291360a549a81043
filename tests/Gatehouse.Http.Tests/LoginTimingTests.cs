using System.Diagnostics;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests;

/// <summary>How long a refused sign-in takes says nothing about whether the address has an account.</summary>
[Collection(Measurements.Name)]
public sealed class LoginTimingTests
{
    private const int Rounds = 5;
    private const int SamplesPerRound = 12;
    private const double Margin = 0.10;

    // Another program that takes the processor for a while slows whatever it meets down, and it may meet one side only. It does not do so
    // every time, while a difference in what the server does would be there every time: so one measurement in three that is even is enough.
    private const int Attempts = 3;

    [Fact]
    [Requirement("S1-27")]
    public async Task An_unknown_address_takes_as_long_as_a_wrong_password()
    {
        await using var server = await GatehouseServer.Start(
            Engine.Sqlite,
            ("Gatehouse:RateLimits:Enabled", "false"),
            ("Gatehouse:Passwords:MemoryKiB", "19456"),
            ("Gatehouse:Passwords:Passes", "2"));
        using var client = server.Client();
        var known = (await server.AddPerson()).Email;
        await Measure(client, known, "nobody@example.com");

        var seen = new List<string>();
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var (ofKnown, ofUnknown) = await Measure(client, known, "nobody@example.com");
            if (Math.Abs(ofKnown - ofUnknown) <= Margin * Math.Max(ofKnown, ofUnknown))
            {
                return;
            }

            seen.Add($"{ofKnown:F2} ms for a known, {ofUnknown:F2} ms for an unknown address");
        }

        Assert.Fail(string.Join('\n', seen));
    }

    /// <summary>The medians of the rounds' medians, in milliseconds. Samples alternate, and so does which of the two goes first.</summary>
    private static async Task<(double Known, double Unknown)> Measure(ApiClient client, string known, string unknown)
    {
        var (ofKnown, ofUnknown) = (new List<double>(), new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            var (knowns, unknowns) = (new List<double>(), new List<double>());
            for (var i = 0; i < SamplesPerRound; i++)
            {
                if ((round + i) % 2 == 0)
                {
                    knowns.Add(await Time(client, known));
                    unknowns.Add(await Time(client, unknown));
                }
                else
                {
                    unknowns.Add(await Time(client, unknown));
                    knowns.Add(await Time(client, known));
                }
            }

            ofKnown.Add(Median(knowns));
            ofUnknown.Add(Median(unknowns));
        }

        return (Median(ofKnown), Median(ofUnknown));
    }

    private static async Task<double> Time(ApiClient client, string email)
    {
        var start = Stopwatch.GetTimestamp();
        var answer = await client.Login(email, "not the password");
        var took = Stopwatch.GetElapsedTime(start);
        Wants.Refusal(answer, "INVALID_CREDENTIALS");
        return took.TotalMilliseconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
