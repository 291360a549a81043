using System.Text;
using System.Text.Json;
using Gatehouse.Bench.Load;
using Gatehouse.Bench.Processes;

namespace Gatehouse.Bench.Scenarios;

/// <summary>What people ask of the Portal surface: one client for each of them, with credentials that the server gave.</summary>
internal sealed class Portal
{
    // A list of one session would flatter.
    private const int SessionsOfEach = 4;

    private readonly IReadOnlyList<string> tokens;

    private Portal(IReadOnlyList<string> tokens, int meBytes)
    {
        this.tokens = tokens;
        MeBytes = meBytes;
    }

    /// <summary>The size of an answer to <c>me</c>, for the floor to copy.</summary>
    public int MeBytes { get; }

    public IReadOnlyList<IClient> Me => Reading("/api/v1/auth/me");

    public IReadOnlyList<IClient> SessionList => Reading("/api/v1/auth/sessions");

    public IReadOnlyList<IClient> Bootstrap => Reading("/api/v1/ui/bootstrap");

    public IReadOnlyList<IClient> BootstrapUnchanged { get; private init; } = [];

    public static IReadOnlyList<IClient> Logins =>
        [.. Enumerable.Range(0, Deployment.People).Select(n => new RepeatingClient(LoginOf(Deployment.Arriving(n)), 200))];

    /// <summary>Signs everybody in.</summary>
    public static Portal Enter(ServerUnderTest server)
    {
        using var connection = new HttpConnection(server.Port);
        var entered = new List<string>();
        for (var person = 0; person < Deployment.People; person++)
        {
            for (var session = 1; session < SessionsOfEach; session++)
                Login(connection, person);
            entered.Add(Login(connection, person));
        }

        var me = connection.Exchange(Requests.Get("/api/v1/auth/me", entered[0])).Body.Length;
        return new Portal(entered, me)
        {
            BootstrapUnchanged = [.. entered.Select(t => new RepeatingClient(
                Requests.Get("/api/v1/ui/bootstrap", t, ETag(connection, t)), 304))],
        };
    }

    /// <summary>Each client has its own share of the sessions.</summary>
    public static IReadOnlyList<IClient> Refreshing(IReadOnlyList<string> refreshTokens) =>
        [.. refreshTokens.Chunk(refreshTokens.Count / Deployment.People).Take(Deployment.People).Select(share => new RefreshingClient(share))];

    private static string Login(HttpConnection connection, int person)
    {
        var answer = connection.Exchange(LoginOf(Deployment.Reader(person)));
        return answer.Status == 200
            ? JsonDocument.Parse(answer.Body.ToArray()).RootElement.GetProperty("accessToken").GetString()!
            : throw new InvalidOperationException($"Nobody can sign in: {answer.Status} {Encoding.UTF8.GetString(answer.Body)}");
    }

    private static byte[] LoginOf(string email) =>
        Requests.Post("/api/v1/auth/login", JsonSerializer.Serialize(new { email, password = Deployment.Password }));

    private static string ETag(HttpConnection connection, string token)
    {
        var head = Encoding.ASCII.GetString(connection.Exchange(Requests.Get("/api/v1/ui/bootstrap", token)).Head);
        return head.Split("\r\n").First(l => l.StartsWith("ETag: ", StringComparison.OrdinalIgnoreCase))["ETag: ".Length..];
    }

    private IReadOnlyList<IClient> Reading(string path) => [.. tokens.Select(t => new RepeatingClient(Requests.Get(path, t), 200))];
}
