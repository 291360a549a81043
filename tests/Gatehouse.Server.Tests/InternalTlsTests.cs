using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Server.Tests;

/// <summary>The internal listener with TLS in both directions.</summary>
public sealed class InternalTlsTests
{
    private const string ForClients = "1.3.6.1.5.5.7.3.2";
    private const string ForServers = "1.3.6.1.5.5.7.3.1";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_certificate_of_the_named_authority_lets_a_service_in_and_no_other_does()
    {
        var folder = Directory.CreateTempSubdirectory("gatehouse-tls-");
        using var authority = Authority("ours");
        using var stranger = Authority("theirs");
        using var listener = Issue(authority, "listener", ForServers);
        using var service = Issue(authority, "service", ForClients);
        using var misused = Issue(authority, "misused", ForServers);
        using var foreign = Issue(stranger, "foreign", ForClients);
        var (certificate, key, trusted) = (Path.Combine(folder.FullName, "cert.pem"), Path.Combine(folder.FullName, "key.pem"), Path.Combine(folder.FullName, "ca.pem"));
        await File.WriteAllTextAsync(certificate, listener.ExportCertificatePem(), Ct);
        await File.WriteAllTextAsync(key, listener.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem(), Ct);
        await File.WriteAllTextAsync(trusted, authority.ExportCertificatePem(), Ct);
        await using var server = await GatehouseServer.Start(
            Engine.Sqlite,
            ("GATEHOUSE_INTERNAL_TOKEN", "token-of-a-service"),
            ("Gatehouse:Internal:CertificateFile", certificate),
            ("Gatehouse:Internal:KeyFile", key),
            ("Gatehouse:Internal:ClientAuthorityFile", trusted));

        Assert.Equal(HttpStatusCode.OK, await Ask(server, service));
        Assert.Equal(HttpStatusCode.Unauthorized, await Ask(server, null));
        Assert.Equal(HttpStatusCode.OK, await Ask(server, null, "token-of-a-service"));
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => Ask(server, foreign));
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => Ask(server, misused));
        folder.Delete(recursive: true);
    }

    private static async Task<HttpStatusCode> Ask(GatehouseServer server, X509Certificate2? certificate, string? token = null)
    {
        using var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.Subject == "CN=listener",
                ClientCertificates = certificate is null ? null : [certificate],
            },
        };
        using var client = new HttpClient(handler) { BaseAddress = new UriBuilder(server.InternalUrl) { Scheme = "https" }.Uri };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/internal/config/session-limit");
        if (token is not null)
        {
            request.Headers.Add("Authorization", $"Bearer {token}");
        }

        using var answer = await client.SendAsync(request, Ct);
        return answer.StatusCode;
    }

    private static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }

    private static X509Certificate2 Issue(X509Certificate2 authority, string name, string use)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(use)], false));
        var now = TimeProvider.System.GetUtcNow();
        using var signed = request.Create(authority, now.AddHours(-1), now.AddHours(1), RandomNumberGenerator.GetBytes(8));
        return signed.CopyWithPrivateKey(key);
    }
}
