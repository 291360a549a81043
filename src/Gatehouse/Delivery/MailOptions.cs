using System.Net;
using System.Net.Mail;

namespace Gatehouse.Delivery;

/// <summary>The mail server to send through (<c>Gatehouse:Mail</c>).</summary>
public sealed class MailOptions
{
    /// <summary>The server's name; required outside Development.</summary>
    public string Host { get; set; } = "";

    /// <summary>The submission port; the client speaks STARTTLS, not implicit TLS (465).</summary>
    public int Port { get; set; } = 587;

    /// <summary>Whether to demand TLS; without it only a relay on this machine gets a password.</summary>
    public bool StartTls { get; set; } = true;

    /// <summary>The account at the server; empty to send without signing in.</summary>
    public string User { get; set; } = "";

    /// <summary>The account's password.</summary>
    public string Password { get; set; } = "";

    /// <summary>The sender, as <c>no-reply@example.com</c> or <c>Example &lt;no-reply@example.com&gt;</c>.</summary>
    public string From { get; set; } = "";

    /// <summary>The longest one attempt may take, at most a minute.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>What is wrong with the options, one sentence each.</summary>
    public IEnumerable<string> Problems()
    {
        if (string.IsNullOrWhiteSpace(Host))
        {
            yield return "Gatehouse:Mail:Host is missing.";
        }

        if (Port is < 1 or > IPEndPoint.MaxPort or 465)
        {
            yield return "Gatehouse:Mail:Port must be a port that speaks plain SMTP or STARTTLS, usually 587.";
        }

        if (!MailAddress.TryCreate(From, out _))
        {
            yield return "Gatehouse:Mail:From must be a mail address.";
        }

        if (Timeout <= TimeSpan.Zero || Timeout > TimeSpan.FromMinutes(1))
        {
            yield return "Gatehouse:Mail:Timeout must be more than nothing and at most a minute.";
        }

        if (User.Length > 0 && !StartTls && !IsThisMachine)
        {
            yield return "Gatehouse:Mail:StartTls must be on when a password goes over the network.";
        }
    }

    private bool IsThisMachine => Host == "localhost" || (IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address));
}
