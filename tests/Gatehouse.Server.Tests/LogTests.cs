using System.Buffers.Text;
using System.Text;
using Gatehouse.Storage;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Server.Tests;

/// <summary>Whatever happens, no secret is printed, and none is stored in a form that could be used.</summary>
public sealed class LogTests
{
    private const string WrongPassword = "Wr0ng-but-close-to-the-right-1";
    private const string Stranger = "stranger.7f3a@example.org";

    // So much of a secret in a row is no accident.
    private const int Telling = 16;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    [Requirement("S1-101")]
    public async Task No_token_password_or_address_reaches_the_log_and_none_is_stored(Engine engine)
    {
        await using var database = await TestDatabase.Empty(engine);
        await using var server = await ServerProcess.Start(database, ("Logging__LogLevel__Default", "Trace"));
        using var client = server.Client();
        var tokens = await Live(client);
        var stored = await Stored(database);
        await Break(client, database, tokens);
        Assert.Equal(0, await server.Stop());

        var log = server.Printed;
        Assert.Contains("\"EventId\":3001", log, StringComparison.Ordinal);
        foreach (var secret in (string[])[ApiClient.DemoPassword, WrongPassword, ApiClient.John, ApiClient.Jane, Stranger])
        {
            Assert.DoesNotContain(secret, log, StringComparison.OrdinalIgnoreCase);
        }

        foreach (var token in tokens)
        {
            Assert.DoesNotContain(Pieces(token), piece => log.Contains(piece, StringComparison.Ordinal));
            Assert.DoesNotContain(Pieces(token), piece => stored.Contains(piece, StringComparison.Ordinal));
            Assert.DoesNotContain(SecretOf(token, engine), stored, StringComparison.Ordinal);
        }

        Assert.DoesNotContain(ApiClient.DemoPassword, stored, StringComparison.Ordinal);
        Assert.DoesNotContain(WrongPassword, stored, StringComparison.Ordinal);

        // The search would find them: what may be stored is there.
        Assert.Contains(ApiClient.John, stored, StringComparison.Ordinal);
        Assert.Contains("$argon2id$", stored, StringComparison.Ordinal);
    }

    // Right and wrong logins, rotations, a reuse, junk in every place where a token may stand.
    private static async Task<List<string>> Live(ApiClient client)
    {
        var first = await client.Login();
        var second = await client.Refresh(first["refreshToken"]);
        var third = await client.Refresh(second["refreshToken"]);
        Assert.Equal("REFRESH_TOKEN_REUSED", (await client.Refresh(first["refreshToken"])).ErrorCode);
        var jane = await client.Login(ApiClient.Jane);
        Assert.Equal(401, (await client.Login(password: WrongPassword)).Code);
        Assert.Equal(401, (await client.Login(Stranger, WrongPassword)).Code);

        var (access, refresh) = (jane["accessToken"], jane["refreshToken"]);
        await client.Refresh(refresh[..^4] + "AAAA");
        await client.Refresh(access);
        await client.Get("/api/v1/auth/me", access[..^4] + "AAAA");
        await client.Get("/api/v1/auth/me", refresh);
        await client.Get($"/api/v1/auth/sessions/{access}?access_token={access}&email={ApiClient.Jane}", access);
        await client.Post("/api/v1/auth/login", $"{{\"email\":\"{ApiClient.Jane}\",\"password\":\"{WrongPassword}\"");
        await client.Post("/api/v1/auth/revoke", new { token = $"{refresh}{access}" });
        await client.Post("/api/v1/auth/logout", new { refreshToken = refresh }, first["accessToken"]);
        return
        [
            access, refresh,
            .. new[] { first, second, third }.SelectMany(answer => new[] { answer["accessToken"], answer["refreshToken"] }),
        ];
    }

    // With a table gone, every kind of request fails inside.
    private static async Task Break(ApiClient client, TestDatabase database, List<string> tokens)
    {
        await database.Open().Execute(new Sql("ALTER TABLE sessions RENAME TO hidden"), Ct);
        Assert.Equal((500, "INTERNAL_ERROR"), Refused(await client.Refresh(tokens[1])));
        Assert.Equal((500, "INTERNAL_ERROR"), Refused(await client.Login(ApiClient.Jane)));
        await client.Get("/api/v1/auth/sessions", tokens[0]);
        await client.Post("/api/v1/auth/logout", new { refreshToken = tokens[1] });
        await client.Post("/api/v1/auth/revoke", new { token = tokens[1] });
    }

    private static async Task<string> Stored(TestDatabase database)
    {
        if (database.Postgres is { } postgres)
        {
            return await (await PostgresServer.Current).Dump(postgres);
        }

        var files = Directory.GetFiles(database.Folder, "gatehouse.db*").Where(file => !file.EndsWith("-shm", StringComparison.Ordinal));
        return string.Concat(await Task.WhenAll(files.Select(async file => Encoding.Latin1.GetString(await Read(file)))));
    }

    private static async Task<byte[]> Read(string file)
    {
        await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[stream.Length];
        await stream.ReadExactlyAsync(bytes, Ct);
        return bytes;
    }

    // Beginnings tell nothing: rt_ and the public header of a JWT.
    private static IEnumerable<string> Pieces(string token)
    {
        var body = token.StartsWith("rt_", StringComparison.Ordinal) ? token["rt_".Length..] : token[(token.IndexOf('.', StringComparison.Ordinal) + 1)..];
        return Enumerable.Range(0, body.Length - Telling + 1).Select(start => body.Substring(start, Telling));
    }

    // The last 16 bytes of either kind of token are what nobody can guess, here as they would stand in a binary column.
    private static string SecretOf(string token, Engine engine)
    {
        var isRefresh = token.StartsWith("rt_", StringComparison.Ordinal);
        var bytes = Base64Url.DecodeFromChars(isRefresh ? token["rt_".Length..] : token[(token.LastIndexOf('.') + 1)..]);
        return engine == Engine.Postgres ? Convert.ToHexStringLower(bytes[^16..]) : Encoding.Latin1.GetString(bytes[^16..]);
    }

    private static (int, string?) Refused(Answer answer) => (answer.Code, answer.ErrorCode);
}
