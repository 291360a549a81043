using System.Collections.Concurrent;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Faults.Tests;

/// <summary>A client that signs in, ends that session in one of the ways there are, and remembers which ends were acknowledged.</summary>
public sealed class SignOutWorker(CrashingServer server)
{
    private readonly ConcurrentQueue<Answer> fresh = new();
    private readonly ConcurrentQueue<Answer> tested = new();

    /// <summary>How many sessions it has ended.</summary>
    public int Ended => fresh.Count + tested.Count;

    public async Task Work(CancellationToken stop)
    {
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            var login = await server.Send(client => client.Login(ApiClient.Jane));
            Assert.True(login.Code == 200, login.Text);
            await End(login, i % 3);
            fresh.Enqueue(login);
        }
    }

    /// <summary>Whatever was acknowledged since the last look is refused now.</summary>
    public async Task LookAtNewlyEnded()
    {
        while (fresh.TryDequeue(out var login))
        {
            await IsRefused(login);
            tested.Enqueue(login);
        }
    }

    /// <summary>Whatever was ever acknowledged is refused.</summary>
    public async Task LookAtAll()
    {
        await LookAtNewlyEnded();
        foreach (var login in tested)
        {
            await IsRefused(login);
        }
    }

    private async Task End(Answer login, int way)
    {
        var answer = await server.Send(client => way switch
        {
            0 => client.Post("/api/v1/auth/logout", new { refreshToken = login["refreshToken"] }, login["accessToken"]),
            1 => client.Post("/api/v1/auth/revoke", new { token = login["refreshToken"] }),
            _ => client.Send(HttpMethod.Delete, $"/api/v1/auth/sessions/{login["sessionId"]}", bearer: login["accessToken"]),
        });

        // Ending one's own session takes its bearer token along, so a repetition after a lost answer finds it gone already.
        Assert.True(answer.Code == 200 || (answer.Code == 401 && answer.ErrorCode == "SESSION_REVOKED"), answer.Text);
    }

    private async Task IsRefused(Answer login)
    {
        var me = await server.Send(client => client.Get("/api/v1/auth/me", login["accessToken"]));
        Assert.True(me.Code == 401, $"Session {login["sessionId"]} was ended, and its access token lives: {me.Text}");
        Assert.Equal("SESSION_REVOKED", me.ErrorCode);
        var refresh = await server.Send(client => client.Refresh(login["refreshToken"]));
        Assert.True(refresh.Code == 401, $"Session {login["sessionId"]} was ended, and its refresh token lives: {refresh.Text}");
        Assert.Equal("SESSION_REVOKED", refresh.ErrorCode);
    }
}
