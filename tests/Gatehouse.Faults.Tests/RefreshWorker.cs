using System.Buffers.Binary;
using System.Buffers.Text;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Faults.Tests;

/// <summary>A client that keeps its last answer and refreshes without pause, each time under a fresh key.</summary>
public sealed class RefreshWorker
{
    private readonly CrashingServer server;

    private RefreshWorker(CrashingServer server, Answer login)
    {
        this.server = server;
        SessionId = Guid.Parse(login["sessionId"]);
        Keep(login);
    }

    public Guid SessionId { get; }

    /// <summary>How many refreshes were answered.</summary>
    public long Refreshes { get; private set; }

    public string AccessToken { get; private set; } = "";

    private string RefreshToken { get; set; } = "";

    public static async Task<RefreshWorker> SignIn(CrashingServer server)
    {
        ArgumentNullException.ThrowIfNull(server);
        var login = await server.Send(client => client.Login());
        Assert.True(login.Code == 200, login.Text);
        return new RefreshWorker(server, login);
    }

    public async Task Work(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await Refresh();
        }
    }

    /// <summary>The answer is the one successor of what was handed in, whatever happened to the server in between.</summary>
    public async Task Refresh()
    {
        var (token, key) = (RefreshToken, Guid.NewGuid().ToString());
        var answer = await server.Send(client => client.Refresh(token, ("Idempotency-Key", key)));
        Assert.True(answer.Code == 200, $"Refresh {Refreshes + 1} of session {SessionId} was refused: {answer.Text}");
        Assert.Equal(SessionId, Guid.Parse(answer["sessionId"]));
        Assert.Equal(GenerationOf(token) + 1, GenerationOf(answer["refreshToken"]));
        Keep(answer);
        Refreshes++;
    }

    private void Keep(Answer answer) => (AccessToken, RefreshToken) = (answer["accessToken"], answer["refreshToken"]);

    // rt_ + base64url(format 1 ‖ key 4 ‖ session 16 ‖ generation 4 ‖ …)
    private static uint GenerationOf(string token) =>
        BinaryPrimitives.ReadUInt32BigEndian(Base64Url.DecodeFromChars(token.AsSpan("rt_".Length)).AsSpan(21));
}
