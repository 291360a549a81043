using System.Text.RegularExpressions;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Http.Tests.Surfaces.Public;

/// <summary>The whole way: a real SMTP server takes the message, and the code in it signs in.</summary>
public sealed partial class SmtpSignInTests
{
    [Theory]
    [BothEngines]
    [Requirement("S4-24", "S4-42")]
    public async Task The_code_arrives_by_mail_and_signs_in(Engine engine)
    {
        var ct = TestContext.Current.CancellationToken;
        await using var smtp = await SmtpServer.Start(ct);
        await using var server = await GatehouseServer.Start(
            engine,
            ("Gatehouse:Mail:Host", "127.0.0.1"),
            ("Gatehouse:Mail:Port", $"{smtp.Port}"),
            ("Gatehouse:Mail:StartTls", "false"),
            ("Gatehouse:Mail:From", "id@example.com"));
        using var client = server.Client();
        var email = People.NewAddress();

        var sent = await client.Post("/api/v1/public/auth/send-email-code", new { email });
        var message = await smtp.Received(ct);
        var code = Code().Match(message.GetProperty("raw").GetString()!).Value;
        var confirmed = await client.Post("/api/v1/public/auth/confirm-email-code", new { challenge_id = sent["challenge_id"], code });

        Assert.Equal(email, message.GetProperty("to")[0].GetString());
        Assert.Contains("text/plain", message.GetProperty("raw").GetString(), StringComparison.Ordinal);
        Assert.Contains("text/html", message.GetProperty("raw").GetString(), StringComparison.Ordinal);
        Assert.Equal(200, confirmed.Code);
    }

    [GeneratedRegex(@"(?<=\s)[0-9]{6}(?=\s)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Code();
}
