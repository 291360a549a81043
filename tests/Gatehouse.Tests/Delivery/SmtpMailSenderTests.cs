using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gatehouse.Delivery;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Tests.Delivery;

public sealed class SmtpMailSenderTests
{
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_mail_arrives_with_a_text_and_an_HTML_part()
    {
        await using var server = await SmtpServer.Start(ct);
        var message = Message();

        Assert.Equal(new DeliveryOutcome.Sent(), await Sender(server.Port).SendMail(message, ct));

        var received = await server.Received(ct);
        var raw = received.GetProperty("raw").GetString()!;
        Assert.Equal("no-reply@example.com", received.GetProperty("from").GetString());
        Assert.Equal("ada@example.com", Assert.Single(received.GetProperty("to").EnumerateArray()).GetString());
        Assert.Contains("Content-Type: multipart/alternative", raw, StringComparison.Ordinal);
        Assert.Contains("Content-Type: text/plain; charset=utf-8", raw, StringComparison.Ordinal);
        Assert.Contains("Content-Type: text/html; charset=utf-8", raw, StringComparison.Ordinal);
        Assert.Contains($"Message-ID: <{message.Id:N}@example.com>", raw, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("Auto-Submitted: auto-generated", raw, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("\r\nDate: ", raw, StringComparison.Ordinal);
        Assert.Contains("Gatehouse <no-reply@example.com>", raw.Replace("\"", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("f=C3=BCr 10 Minuten", raw.Replace("=\r\n", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_signs_in_with_its_password_and_a_wrong_one_may_be_corrected_in_time()
    {
        await using var server = await SmtpServer.Start(ct, "--auth", "gatehouse:right");

        Assert.Equal(new DeliveryOutcome.Sent(), await Sender(server.Port, o => (o.User, o.Password) = ("gatehouse", "right")).SendMail(Message(), ct));
        Assert.Equal("gatehouse", (await server.Received(ct)).GetProperty("user").GetString());

        var failure = await Failure(Sender(server.Port, o => (o.User, o.Password) = ("gatehouse", "wrong")));
        Assert.True(failure.BeforeData);
        Assert.False(failure.IsPermanent);
    }

    [Fact]
    public async Task An_untrusted_certificate_stops_the_mail_before_its_content_leaves()
    {
        using var certificate = new TestCertificate();
        await using var server = await SmtpServer.Start(ct, "--starttls", certificate.CertificateFile, certificate.KeyFile);

        var failure = await Failure(Sender(server.Port, o => o.StartTls = true));

        Assert.True(failure.BeforeData);
        Assert.False(failure.IsPermanent);
    }

    [Fact]
    public async Task A_trusted_certificate_lets_the_mail_travel_encrypted()
    {
        using var certificate = new TestCertificate();
        await using var server = await SmtpServer.Start(ct, "--starttls", certificate.CertificateFile, certificate.KeyFile);
#pragma warning disable SYSLIB0014, MA0039 // SmtpClient still asks it, and nothing else lets a test trust one certificate.
        ServicePointManager.ServerCertificateValidationCallback = (_, presented, _, _) =>
            presented?.GetCertHashString() == certificate.Thumbprint;
        try
        {
            Assert.Equal(new DeliveryOutcome.Sent(), await Sender(server.Port, o => o.StartTls = true).SendMail(Message(), ct));
        }
        finally
        {
            ServicePointManager.ServerCertificateValidationCallback = null;
        }
#pragma warning restore SYSLIB0014, MA0039
        Assert.True((await server.Received(ct)).GetProperty("secure").GetBoolean());
    }

    [Fact]
    public async Task A_server_without_STARTTLS_gets_nothing_when_it_is_demanded()
    {
        await using var server = await SmtpServer.Start(ct);

        Assert.True((await Failure(Sender(server.Port, o => o.StartTls = true))).BeforeData);
    }

    [Fact]
    public async Task A_refused_recipient_is_a_permanent_failure_before_DATA()
    {
        await using var server = await SmtpServer.Start(ct, "--reject-rcpt");

        Assert.Equal(new DeliveryOutcome.Failure(BeforeData: true, IsPermanent: true, "SMTP 550"), await Failure(Sender(server.Port)));
    }

    [Fact]
    public async Task A_connection_lost_after_DATA_leaves_the_outcome_unknown()
    {
        await using var server = await SmtpServer.Start(ct, "--drop-after-data");

        var failure = await Failure(Sender(server.Port));

        Assert.False(failure.BeforeData);
        Assert.False(failure.IsPermanent);
    }

    [Fact]
    public async Task A_server_that_hangs_is_left_after_the_timeout()
    {
        await using var server = await SmtpServer.Start(ct, "--hang");

        var failure = await Failure(Sender(server.Port, o => o.Timeout = TimeSpan.FromSeconds(1)));

        Assert.Equal(new DeliveryOutcome.Failure(BeforeData: true, IsPermanent: false, "timeout"), failure);
    }

    [Fact]
    public async Task A_stop_breaks_off_with_a_cancellation()
    {
        await using var server = await SmtpServer.Start(ct, "--hang");
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Sender(server.Port).SendMail(Message(), stop.Token));
    }

    [Fact]
    public async Task No_server_at_all_is_a_failure_that_may_pass()
    {
        int port;
        await using (var server = await SmtpServer.Start(ct))
        {
            port = server.Port;
        }

        Assert.Equal(
            new DeliveryOutcome.Failure(BeforeData: true, IsPermanent: false, "socket ConnectionRefused"), await Failure(Sender(port)));
    }

    [Theory]
    [InlineData("ada@example.com\r\nBcc: eve@example.com")]
    [InlineData("ada@example.com, eve@example.com")]
    [InlineData("Ada <ada@example.com>")]
    [InlineData("not an address")]
    [InlineData("")]
    public async Task A_recipient_is_one_bare_address_or_nothing(string to) => Assert.Equal(
        new DeliveryOutcome.Failure(BeforeData: true, IsPermanent: true, "the recipient is not an address"),
        await Sender(port: 1).SendMail(Message(to), ct));

    [Fact]
    public void A_password_never_crosses_the_network_in_clear()
    {
        Assert.Throws<InvalidOperationException>(() => Sender(587, o => (o.Host, o.User) = ("mail.example.com", "gatehouse")));
        Assert.Throws<InvalidOperationException>(() => Sender(465));
        Assert.Throws<InvalidOperationException>(() => Sender(587, o => o.From = ""));
        Assert.Throws<InvalidOperationException>(() => Sender(587, o => o.Timeout = TimeSpan.FromMinutes(2)));
    }

    private static OutgoingMessage Message(string to = "ada@example.com") => new(
        Guid.NewGuid(), to, new MessageText("Ihr Code für heute", "Gültig für 10 Minuten\r\n", "<p>G&#252;ltig</p>", null), Code: null);

    private static SmtpMailSender Sender(int port, Action<MailOptions>? change = null)
    {
        var options = new MailOptions { Host = "localhost", Port = port, StartTls = false, From = "Gatehouse <no-reply@example.com>" };
        change?.Invoke(options);
        return new SmtpMailSender(options, TimeProvider.System);
    }

    private async Task<DeliveryOutcome.Failure> Failure(SmtpMailSender sender) =>
        Assert.IsType<DeliveryOutcome.Failure>(await sender.SendMail(Message(), ct));

    private sealed class TestCertificate : IDisposable
    {
        private readonly string folder = Directory.CreateTempSubdirectory("gatehouse-tls-").FullName;

        public TestCertificate()
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
            var now = TimeProvider.System.GetUtcNow();
            using var certificate = request.CreateSelfSigned(now.AddHours(-1), now.AddHours(1));
            Thumbprint = certificate.GetCertHashString();
            File.WriteAllText(CertificateFile, certificate.ExportCertificatePem());
            File.WriteAllText(KeyFile, key.ExportPkcs8PrivateKeyPem());
        }

        public string Thumbprint { get; }

        public string CertificateFile => Path.Combine(folder, "cert.pem");

        public string KeyFile => Path.Combine(folder, "key.pem");

        public void Dispose() => Directory.Delete(folder, recursive: true);
    }
}
