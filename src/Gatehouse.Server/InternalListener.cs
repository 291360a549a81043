using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Gatehouse.Server;

/// <summary>
/// Configuration section <c>Gatehouse:Internal</c>: where the internal listener is bound, and TLS in both directions. With a client
/// authority, a certificate of that authority lets a service in as the service token does.
/// </summary>
internal sealed class InternalListenerOptions
{
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>PEM files of the listener's own certificate and key; without them the listener speaks plain HTTP.</summary>
    public string CertificateFile { get; set; } = "";

    public string KeyFile { get; set; } = "";

    /// <summary>PEM file of the authority whose certificates let services in.</summary>
    public string ClientAuthorityFile { get; set; } = "";

    public IEnumerable<string> Problems()
    {
        if (!IPAddress.TryParse(Address, out var address))
        {
            yield return $"Gatehouse:Internal:Address must be an IP address, not '{Address}'.";
        }
        else if (!IPAddress.IsLoopback(address) && CertificateFile.Length == 0)
        {
            yield return "Gatehouse:Internal:CertificateFile is needed when the internal listener is bound beyond loopback.";
        }

        if (ClientAuthorityFile.Length > 0 && CertificateFile.Length == 0)
        {
            yield return "Gatehouse:Internal:ClientAuthorityFile needs Gatehouse:Internal:CertificateFile.";
        }
    }

    public void Listen(KestrelServerOptions kestrel, int port) => kestrel.Listen(IPAddress.Parse(Address), port, listener =>
    {
        if (CertificateFile.Length > 0)
        {
            listener.UseHttps(Secure);
        }
    });

    private void Secure(HttpsConnectionAdapterOptions https)
    {
        https.ServerCertificate = X509Certificate2.CreateFromPemFile(CertificateFile, KeyFile.Length > 0 ? KeyFile : null);
        if (ClientAuthorityFile.Length == 0)
        {
            return;
        }

        var authority = new X509Certificate2Collection();
        authority.ImportFromPemFile(ClientAuthorityFile);
        https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
        https.ClientCertificateValidation = (certificate, _, _) => IsOfAuthority(certificate, authority);
    }

    private static bool IsOfAuthority(X509Certificate2 certificate, X509Certificate2Collection authority)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid("1.3.6.1.5.5.7.3.2"));
        return chain.Build(certificate);
    }
}
