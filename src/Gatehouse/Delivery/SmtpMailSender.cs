using System.ComponentModel;
using System.Net;
using System.Net.Mail;
using System.Net.Mime;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace Gatehouse.Delivery;

/// <summary>
/// Sends through an SMTP server, one connection per mail; the worker limits how many there are. A content that was never read is
/// how it knows that a failure came before DATA, whatever the server's words.
/// </summary>
public sealed class SmtpMailSender : IMailSender
{
    private readonly MailOptions options;
    private readonly TimeProvider time;
    private readonly MailAddress from;

    /// <summary>Checks the options once, so that a mistake stops the start and not the first mail.</summary>
    public SmtpMailSender(MailOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        var problems = string.Join(' ', options.Problems());
        if (problems.Length > 0)
        {
            throw new InvalidOperationException(problems);
        }

        this.options = options;
        this.time = time;
        from = new MailAddress(options.From);
    }

    /// <inheritdoc/>
    public async Task<DeliveryOutcome> SendMail(OutgoingMessage message, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(message);

        // "Name <a@b>" and the like would parse too; the recipient is one bare address or nothing.
        if (!MailAddress.TryCreate(message.To, out var to) || to.Address != message.To)
        {
            return new DeliveryOutcome.Failure(BeforeData: true, IsPermanent: true, "the recipient is not an address");
        }

        using var text = new Content(message.Text.Text);
        using var html = new Content(message.Text.Html);
        using var mail = Compose(message, to, text, html);
        using var client = new SmtpClient(options.Host, options.Port) { EnableSsl = options.StartTls };
        if (options.User.Length > 0)
        {
            client.Credentials = new NetworkCredential(options.User, options.Password);
        }

        using var timeout = new CancellationTokenSource(options.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        try
        {
            await client.SendMailAsync(mail, either.Token);
            return new DeliveryOutcome.Sent();
        }
        catch (Exception e) when (e is SmtpException or OperationCanceledException or IOException or SocketException
            or AuthenticationException or FormatException)
        {
            ct.ThrowIfCancellationRequested();
            return new DeliveryOutcome.Failure(!text.WasRead, IsPermanent(e), timeout.IsCancellationRequested ? "timeout" : Reason(e));
        }
    }

    private MailMessage Compose(OutgoingMessage message, MailAddress to, Stream text, Stream html)
    {
        var mail = new MailMessage(from, to) { Subject = message.Text.Subject, SubjectEncoding = Encoding.UTF8 };
        mail.AlternateViews.Add(View(text, MediaTypeNames.Text.Plain));
        mail.AlternateViews.Add(View(html, MediaTypeNames.Text.Html));

        // The same in every attempt, so that a mailbox can drop the second copy of a message whose first outcome was unknown.
        mail.Headers.Add("Message-ID", $"<{message.Id:N}@{from.Host}>");
        mail.Headers.Add("Auto-Submitted", "auto-generated");
        return mail;
    }

    private static AlternateView View(Stream content, string type) =>
        new(content, new ContentType(type) { CharSet = "utf-8" }) { TransferEncoding = TransferEncoding.QuotedPrintable };

    // A 5xx about the recipient stays a 5xx; other refusals (credentials, a policy, a full disk) an operator may lift in time.
    private static bool IsPermanent(Exception e) => e is FormatException or SmtpFailedRecipientException { StatusCode: >= (SmtpStatusCode)500 };

    // The exception's message may quote the server, and the server the recipient.
    private static string Reason(Exception e) => e switch
    {
        SmtpException { StatusCode: not SmtpStatusCode.GeneralFailure } refusal => $"SMTP {(int)refusal.StatusCode}",
        { InnerException: { } inner } => Reason(inner),
        SocketException socket => $"socket {socket.SocketErrorCode}",
        Win32Exception system => $"system error {system.NativeErrorCode}",
        _ => e.GetType().Name,
    };

    /// <summary>A part of the mail, which SmtpClient reads only after the server has accepted DATA.</summary>
    private sealed class Content(string text) : MemoryStream(Encoding.UTF8.GetBytes(text), writable: false)
    {
        public bool WasRead { get; private set; }

        public override int Read(byte[] buffer, int offset, int count)
        {
            WasRead = true;
            return base.Read(buffer, offset, count);
        }

        public override int Read(Span<byte> buffer)
        {
            WasRead = true;
            return base.Read(buffer);
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        {
            WasRead = true;
            return base.ReadAsync(buffer, offset, count, cancellationToken);
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            WasRead = true;
            return base.ReadAsync(buffer, cancellationToken);
        }
    }
}
