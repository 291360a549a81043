using System.Diagnostics;
using Gatehouse.Testing;
using Gatehouse.Users;
using Xunit;

namespace Gatehouse.Http.Tests;

/// <summary>How long asking for a code takes says nothing about whom the address belongs to.</summary>
[Collection(Measurements.Name)]
public sealed class SendCodeTimingTests
{
    private const int Rounds = 5;
    private const int SamplesPerRound = 12;
    private const double Margin = 0.10;

    // As in LoginTimingTests: what the server does is there every time, what else the machine does is not.
    private const int Attempts = 4;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    [Requirement("S4-28")]
    public async Task Existing_new_blocked_and_throttled_addresses_take_equally_long(Engine engine)
    {
        await using var server = await GatehouseServer.Start(engine, ("Gatehouse:RateLimits:Enabled", "false"));
        using var client = server.Client();
        var seen = new List<string>();

        // The first measurement warms up, and counts for nothing.
        for (var attempt = 0; attempt <= Attempts; attempt++)
        {
            var medians = await Measure(server, client);
            if (attempt > 0 && medians.Max() - medians.Min() <= Margin * medians.Max())
            {
                return;
            }

            seen.Add($"existing, new, blocked, throttled: {string.Join(", ", medians.Select(m => $"{m:F3}"))} ms");
        }

        Assert.Fail(string.Join('\n', seen));
    }

    /// <summary>
    /// The medians of the rounds' medians, in milliseconds. The kinds of addresses alternate in an order of chance, since what one leaves
    /// to be done (a checkpoint, a page to be split) the next one meets.
    /// </summary>
    private static async Task<IReadOnlyList<double>> Measure(GatehouseServer server, ApiClient client)
    {
        var random = new Random(1);
        var throttled = People.NewAddress();
        await Time(client, throttled);
        Func<Task<string>>[] kinds =
        [
            async () => (await server.AddPerson(tenants: 0)).Email,
            () => Task.FromResult(People.NewAddress()),
            async () =>
            {
                var person = await server.AddPerson(tenants: 0);
                await server.Get<BlockUser>().Block(BlockTarget.User(person.Id), "abuse", Actor.System, Origin.CommandLine, Ct);
                return person.Email;
            },
            () => Task.FromResult(throttled),
        ];
        var medians = kinds.Select(_ => new List<double>()).ToList();
        for (var round = 0; round < Rounds; round++)
        {
            var samples = kinds.Select(_ => new List<double>()).ToList();
            for (var i = 0; i < SamplesPerRound; i++)
            {
                var addresses = new List<string>();
                foreach (var kind in kinds)
                {
                    addresses.Add(await kind());
                }

                var order = Enumerable.Range(0, kinds.Length).ToArray();
                random.Shuffle(order);
                foreach (var kind in order)
                {
                    samples[kind].Add(await Time(client, addresses[kind]));

                    // What goes out after the answer must not slow down whoever asks next.
                    await server.Delivered();
                }
            }

            for (var kind = 0; kind < kinds.Length; kind++)
            {
                medians[kind].Add(Median(samples[kind]));
            }
        }

        return [.. medians.Select(Median)];
    }

    private static async Task<double> Time(ApiClient client, string email)
    {
        var start = Stopwatch.GetTimestamp();
        var answer = await client.Post("/api/v1/public/auth/send-email-code", new { email });
        var took = Stopwatch.GetElapsedTime(start);
        Assert.Equal(200, answer.Code);
        Wants.Members(answer.Json, "challenge_id: text");
        return took.TotalMilliseconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
