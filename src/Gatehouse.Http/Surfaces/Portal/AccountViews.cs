using System.Security.Cryptography;
using System.Text.Json;
using Gatehouse.Bootstrap;
using Gatehouse.Sessions;
using Microsoft.AspNetCore.Http;

namespace Gatehouse.Http.Surfaces.Portal;

/// <summary>What a session's owner is shown, rendered once per version of the session.</summary>
/// <param name="Session">The snapshot it was rendered for.</param>
/// <param name="Me">The body of <c>me</c>.</param>
/// <param name="Bootstrap">The body of <c>bootstrap</c>.</param>
/// <param name="ETag">The tag of that body: configuration version, user, and a hash of all that it shows.</param>
public sealed record AccountView(SessionSnapshot Session, byte[] Me, byte[] Bootstrap, string ETag);

/// <summary>
/// Renders accounts and remembers what it rendered while the session's snapshot stays the same. Whatever changes what is shown
/// (role, tenant, preferences, profile) raises the version of the sessions concerned, and so ends the memory in every process.
/// </summary>
public sealed class AccountViews(ReadAccount read, UiConfig ui)
{
    private const int Remembered = 10_000;

    private readonly RecentCache<Guid, AccountView> views = new(Remembered);

    /// <summary>The view of a session.</summary>
    public ValueTask<AccountView> Get(SessionSnapshot session, HttpContext http)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(http);
        return views.Find(session.SessionId) is { } view && ReferenceEquals(view.Session, session)
            ? new ValueTask<AccountView>(view)
            : new ValueTask<AccountView>(Render(session, http.RequestAborted));
    }

    private async Task<AccountView> Render(SessionSnapshot session, CancellationToken ct)
    {
        var account = await read.Read(session, ct);
        var me = JsonSerializer.SerializeToUtf8Bytes(MeAnswer.Of(account, session.SessionId), PortalJson.Default.MeAnswer);
        var bootstrap = JsonSerializer.SerializeToUtf8Bytes(BootstrapAnswer.Of(account, ui), PortalJson.Default.BootstrapAnswer);
        var hash = Convert.ToHexStringLower(SHA256.HashData(bootstrap).AsSpan(0, 8));
        var view = new AccountView(session, me, bootstrap, $"\"bootstrap-{ui.Version}-{account.User.UserId}-{hash}\"");
        views.Add(session.SessionId, view);
        return view;
    }
}
