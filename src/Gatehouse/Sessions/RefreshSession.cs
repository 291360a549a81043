using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Gatehouse.Audit;
using Gatehouse.Delivery;
using Gatehouse.Keys;
using Gatehouse.Storage;
using Gatehouse.Throttling;

namespace Gatehouse.Sessions;

/// <summary>A refresh token that was handed in, and by whom.</summary>
/// <param name="Token">The text.</param>
/// <param name="RetryKey">The request's <c>Idempotency-Key</c>; empty when it has none.</param>
/// <param name="ClientId">The OAuth client that hands it in; empty on our own surfaces.</param>
/// <param name="DpopJkt">The thumbprint of the key it proved (RFC 9449 §5); empty for none.</param>
/// <param name="Rotate">False for a literal client that cannot store a new token.</param>
/// <param name="Origin">The request.</param>
public sealed record RefreshRequest(
    string Token, string RetryKey, string ClientId, string DpopJkt, bool Rotate, Origin Origin);

/// <summary>What came of a refresh.</summary>
public abstract record RefreshOutcome
{
    /// <summary>The session goes on; everyone who asked within the grace gets this same successor.</summary>
    public sealed record Refreshed(SessionSnapshot Session, string RefreshToken, Permit Permit) : RefreshOutcome;

    /// <summary>Not a token of ours, or not this client's. Nothing was changed.</summary>
    public sealed record Invalid : RefreshOutcome;

    /// <summary>The session reached its idle or its absolute limit.</summary>
    public sealed record Expired : RefreshOutcome;

    /// <summary>The session was revoked.</summary>
    public sealed record Revoked : RefreshOutcome;

    /// <summary>An old copy was used after its successor: the session is over.</summary>
    public sealed record Reused : RefreshOutcome;

    /// <summary>Too many refreshes; the session is untouched.</summary>
    public sealed record Throttled(Permit Permit) : RefreshOutcome;
}

/// <summary>
/// Exchanges a refresh token. The common path is one statement that rotates, serves the grace and the lost answer, and
/// throttles; the answer is derived from the generation it returns. Only when it changes nothing does a read decide why.
/// </summary>
public sealed class RefreshSession(
    Database database,
    KeyRing keys,
    RevokeSessions revoke,
    AuditLog audit,
    Outbox outbox,
    TimeProvider time,
    SessionOptions options,
    ThrottleOptions throttles)
{
    private const int MaxAttempts = 4;

    private static readonly Sql OwnerOf = new("SELECT email, locale FROM users WHERE user_id = @user AND email <> ''");

    /// <summary>Exchanges the token for its successor.</summary>
    public async Task<RefreshOutcome> Refresh(RefreshRequest request, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(request);

        // The token's own code is checked first: junk costs no query and changes nothing.
        if (await RefreshToken.Read(request.Token, keys, ct) is not { } token)
        {
            return new RefreshOutcome.Invalid();
        }

        var retry = HashRetryKey(request.RetryKey);

        // Each turn follows a change by someone else between the statement and the read that explains it.
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var now = time.Now();
            var row = await Advance(request, token, retry, now, ct);
            if (row is not null)
            {
                return Answer(row, token, now);
            }

            if (await Explain(request, token, retry, now, ct) is { } outcome)
            {
                return outcome;
            }
        }

        throw new DatabaseUnavailableException("A session changed too often while it was being refreshed.");
    }

    private Task<Advanced?> Advance(RefreshRequest request, RefreshToken token, string retry, long now, CancellationToken ct)
    {
        var policy = throttles.Refresh;
        var burst = throttles.Enabled ? policy.Burst : long.MaxValue / 2;
        var interval = throttles.Enabled ? policy.Interval : 0;
        return request.Rotate
            ? database.QueryOne(
                RefreshSql.Rotate,
                ReadAdvanced,
                ct,
                ("id", token.SessionId),
                ("secret", token.Secret),
                ("client", request.ClientId),
                ("jkt", request.DpopJkt),
                ("generation", token.Generation),
                ("now", now),
                ("interval", interval),
                ("burst", burst),
                ("retry", retry),
                ("grace", options.RefreshGrace.Milliseconds()),
                ("lost", options.LostAnswer.Milliseconds()))
            : database.QueryOne(
                RefreshSql.Touch,
                ReadAdvanced,
                ct,
                ("id", token.SessionId),
                ("secret", token.Secret),
                ("client", request.ClientId),
                ("jkt", request.DpopJkt),
                ("generation", token.Generation),
                ("now", now),
                ("interval", interval),
                ("burst", burst),
                ("grace", options.RefreshGrace.Milliseconds()));
    }

    /// <summary>Why the statement changed nothing; null when another look is needed.</summary>
    private async Task<RefreshOutcome?> Explain(RefreshRequest request, RefreshToken token, string retry, long now, CancellationToken ct)
    {
        var state = await database.QueryOne(
            RefreshSql.ReadState,
            ReadStateRow,
            ct,
            ("id", token.SessionId),
            ("secret", token.Secret),
            ("client", request.ClientId),
            ("jkt", request.DpopJkt));
        if (state is null)
        {
            return new RefreshOutcome.Invalid();
        }

        if (state.IsRevoked)
        {
            return new RefreshOutcome.Revoked();
        }

        if (state.ExpiresAt <= now)
        {
            return new RefreshOutcome.Expired();
        }

        if (state.Generation < token.Generation)
        {
            return await FollowTokenAhead(request, token, retry, now, ct);
        }

        if (state.Generation == token.Generation)
        {
            var policy = throttles.Refresh;
            return throttles.Enabled && state.RefreshTat > now + policy.Burst
                ? new RefreshOutcome.Throttled(Permit.From(policy, token.SessionId.ToString(), state.RefreshTat, granted: false, now))
                : null;
        }

        return await EndReused(request, token, retry, now, ct) ? new RefreshOutcome.Reused() : null;
    }

    // A genuine token ahead of its row proves that the database is an older copy than the client's: not theft, a restored backup.
    private async Task<RefreshOutcome?> FollowTokenAhead(
        RefreshRequest request, RefreshToken token, string retry, long now, CancellationToken ct)
    {
        var row = await database.InTransaction(
            async tx =>
            {
                var advanced = await tx.QueryOne(
                    RefreshSql.CatchUp,
                    ReadAdvanced,
                    ct,
                    ("id", token.SessionId),
                    ("secret", token.Secret),
                    ("client", request.ClientId),
                    ("jkt", request.DpopJkt),
                    ("generation", token.Generation),
                    ("retry", retry),
                    ("now", now));
                if (advanced is not null)
                {
                    var batch = new Batch();
                    audit.Add(batch, Event("session.generation_ahead", advanced.Session, request.Origin));
                    await tx.Run(batch, ct);
                }

                return advanced;
            },
            ct);
        return row is null ? null : Answer(row, token, now);
    }

    private async Task<bool> EndReused(RefreshRequest request, RefreshToken token, string retry, long now, CancellationToken ct)
    {
        var ended = await revoke.Run(
            async tx =>
            {
                var changed = await RevokeSessions.BehindOwner(
                    tx,
                    token.SessionId,
                    RefreshSql.RevokeReused,
                    ct,
                    ("id", token.SessionId),
                    ("secret", token.Secret),
                    ("client", request.ClientId),
                    ("jkt", request.DpopJkt),
                    ("generation", token.Generation),
                    ("now", now),
                    ("reason", "refresh_token_reused"),
                    ("actor", Actor.System.ToString()),
                    ("retry", retry),
                    ("grace", options.RefreshGrace.Milliseconds()),
                    ("lost", options.LostAnswer.Milliseconds()));
                if (changed is not [var reused])
                {
                    return new Ended([], []);
                }

                var children = await tx.Query(
                    RefreshSql.RevokeChildren,
                    SessionSnapshot.Read,
                    ct,
                    ("id", token.SessionId),
                    ("now", now),
                    ("reason", "parent_ended"),
                    ("actor", Actor.System.ToString()));
                await Warn(tx, reused, request.Origin, ct);
                return new Ended([reused, .. children], []);
            },
            Actor.System,
            request.Origin,
            ct);
        outbox.Notify();
        return ended.Count > 0;
    }

    private async Task Warn(Statements tx, SessionSnapshot reused, Origin origin, CancellationToken ct)
    {
        var batch = new Batch();
        audit.Add(batch, Event("session.refresh_token_reused", reused, origin));
        var owner = await tx.QueryOne(OwnerOf, row => new Owner(row.Text(0), row.Text(1)), ct, ("user", reused.UserId));
        if (owner is not null)
        {
            var data = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["time"] = time.GetUtcNow().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture),
                ["network"] = origin.IpPrefix,
                ["device"] = origin.UserAgent,
            };
            outbox.Add(batch, new OutboxMessage(MessageChannel.Mail, owner.Email, "refresh_token_reused", owner.Locale, data));
        }

        await tx.Run(batch, ct);
    }

    private static AuditEvent Event(string action, SessionSnapshot session, Origin origin) =>
        new(action, "success", Actor.System, origin)
        {
            UserId = session.UserId,
            SessionId = session.SessionId,
            TenantId = session.TenantId,
        };

    private RefreshOutcome Answer(Advanced row, RefreshToken token, long now)
    {
        var policy = throttles.Refresh;
        var permit = throttles.Enabled
            ? Permit.From(policy, "", row.RefreshTat, granted: true, now)
            : new Permit(Granted: true, policy.Limit, policy.Limit, now, "", policy.Interval);
        return keys.Current.TryGetRefresh(token.KeyNumber, out var key)
            ? new RefreshOutcome.Refreshed(
                row.Session, RefreshToken.Write(token.Kind, key, token.SessionId, (uint)row.Generation, token.Secret), permit)
            : new RefreshOutcome.Invalid();
    }

    private static string HashRetryKey(string key) =>
        key.Length == 0 ? "" : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)).AsSpan(0, 16));

    private static Advanced ReadAdvanced(Row row) =>
        new(SessionSnapshot.Read(row), row.Long(SessionSnapshot.ColumnCount), row.Long(SessionSnapshot.ColumnCount + 1));

    private static State ReadStateRow(Row row) => new(
        row.Long(0), row.Long(1), row.Text(2) != SessionStatus.Active, Math.Min(row.Long(3), row.Long(4)));

    private sealed record Advanced(SessionSnapshot Session, long Generation, long RefreshTat);

    private sealed record State(long Generation, long RefreshTat, bool IsRevoked, long ExpiresAt);

    private sealed record Owner(string Email, string Locale);
}
