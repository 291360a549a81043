using Gatehouse.Challenges;
using Gatehouse.Sessions;
using Gatehouse.Storage;
using Gatehouse.Testing;
using Gatehouse.Tests.Sessions;
using Xunit;

namespace Gatehouse.Tests.Challenges;

/// <summary>Sessions, and a look at the challenges behind them.</summary>
internal sealed class ChallengeFixture(SessionFixture sessions) : IAsyncDisposable
{
    private static readonly Sql FindRow = new("""
        SELECT root_id, alias_number, challenge_status, own_tries, alias_tries, digits, challenge_expires_at, delivery_outcome
        FROM challenges WHERE challenge_id = @id
        """);

    private static readonly Sql CountMessages = new("""
        SELECT count(*) FROM challenges WHERE challenge_address = @address AND challenge_status = 'pending_send'
        """);
    private int people;

    public SessionFixture Sessions => sessions;

    public ManualTime Time => sessions.Time;

    public SessionNode Node => sessions.Node;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<ChallengeFixture> Create(Engine engine, SessionOptions? options = null, Database? feed = null) =>
        new(await SessionFixture.Create(engine, options, feed));

    /// <summary>An address that nobody has.</summary>
    public string NewAddress() => $"new{Interlocked.Increment(ref people)}@example.com";

    /// <summary>A challenge for the address, and the code in its message.</summary>
    public async Task<(Guid Id, string Code)> Challenge(string address)
    {
        var id = await Node.SendCode(address);
        return (id, await Code(id, address));
    }

    /// <summary>The code that the message of a challenge would carry.</summary>
    public async Task<string> Code(Guid id, string address)
    {
        var row = await Row(id);
        return Node.Codes.Derive(row.RootId, ChallengePurpose.EmailSignIn, address, (await Row(row.RootId)).Digits);
    }

    /// <summary>A code of the same length that is not this one.</summary>
    public static string Wrong(string code, int n = 1)
    {
        var number = (long.Parse(code, System.Globalization.CultureInfo.InvariantCulture) + n) % (long)Math.Pow(10, code.Length);
        return number.ToString($"D{code.Length}", System.Globalization.CultureInfo.InvariantCulture);
    }

    public async Task<ChallengeRow> Row(Guid id) => await sessions.Raw.QueryOne(
        FindRow,
        row => new ChallengeRow(row.Id(0), row.Long(1), row.Text(2), row.Long(3), row.Long(4), row.Int(5), row.Long(6), row.Text(7)),
        Ct,
        ("id", id)) ?? throw new InvalidOperationException("No such challenge.");

    /// <summary>Messages for the address that will be sent.</summary>
    public Task<long> Messages(string address) => sessions.Count(CountMessages, ("address", address));

    public ValueTask DisposeAsync() => sessions.DisposeAsync();
}

/// <summary>A challenge as stored.</summary>
internal sealed record ChallengeRow(Guid RootId, long Alias, string Status, long OwnTries, long AliasTries, int Digits, long ExpiresAt, string Outcome);
