using Gatehouse.Storage;

namespace Gatehouse.Audit;

/// <summary>One line of the audit trail: who did what to whom, and with what outcome. Never holds a secret or an address.</summary>
/// <param name="Action">What happened, as <c>area.verb</c>: <c>session.opened</c>.</param>
/// <param name="Outcome"><c>success</c> or <c>failure</c>.</param>
/// <param name="Actor">Who did it.</param>
/// <param name="Origin">The request it came with.</param>
public sealed record AuditEvent(string Action, string Outcome, Actor Actor, Origin Origin)
{
    /// <summary>The user it was done to or by.</summary>
    public Guid? UserId { get; init; }

    /// <summary>The session it concerns.</summary>
    public Guid? SessionId { get; init; }

    /// <summary>The tenant it happened in.</summary>
    public Guid? TenantId { get; init; }

    /// <summary>A keyed hash of the e-mail address, where no user is known.</summary>
    public string AddressHash { get; init; } = "";

    /// <summary>A short code that says why: a reason, an error code.</summary>
    public string Details { get; init; } = "";
}

/// <summary>Writes audit rows, in the transaction of what they tell.</summary>
public sealed class AuditLog(Database database, Randomness random, TimeProvider time)
{
    private static readonly Sql Insert = new("""
        INSERT INTO audit_events (
            audit_id, audit_at, audit_action, audit_outcome, audit_user_id, audit_session_id, audit_tenant_id, audit_actor_type,
            audit_actor_id, audit_request_id, audit_ip, audit_ip_prefix, audit_address_hash, audit_details)
        VALUES (@id, @now, @action, @outcome, @user, @session, @tenant, @actorType, @actorId, @request, @ip, @prefix, @address, @details)
        """);

    private static readonly Sql ForgetAddresses = new("""
        UPDATE audit_events SET audit_ip = ''
        WHERE audit_id IN (SELECT audit_id FROM audit_events WHERE audit_at < @before AND audit_ip <> '' ORDER BY audit_at LIMIT 1000)
        """);

    private static readonly Sql RemoveRows = new("""
        DELETE FROM audit_events WHERE audit_id IN (SELECT audit_id FROM audit_events WHERE audit_at < @before ORDER BY audit_at LIMIT 1000)
        """);

    /// <summary>How long an event keeps the client's address, and how long it is kept at all.</summary>
    private static readonly TimeSpan AddressKept = TimeSpan.FromDays(30), RowKept = TimeSpan.FromDays(400);

    /// <summary>Forgets addresses and rows that are past their time, a portion of each.</summary>
    public async Task Age(CancellationToken ct)
    {
        await database.Execute(ForgetAddresses, ct, ("before", time.Now() - AddressKept.Milliseconds()));
        await database.Execute(RemoveRows, ct, ("before", time.Now() - RowKept.Milliseconds()));
    }

    /// <summary>Adds the event to the batch that makes the change.</summary>
    public void Add(Batch batch, AuditEvent e)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(e);
        batch.Add(
            Insert,
            ("id", random.NewId()),
            ("now", time.Now()),
            ("action", e.Action),
            ("outcome", e.Outcome),
            ("user", e.UserId),
            ("session", e.SessionId),
            ("tenant", e.TenantId),
            ("actorType", e.Actor.Type),
            ("actorId", e.Actor.Id),
            ("request", e.Origin.RequestId),
            ("ip", e.Origin.Ip),
            ("prefix", e.Origin.IpPrefix),
            ("address", e.AddressHash),
            ("details", e.Details));
    }

    /// <summary>Records something that changed nothing else, such as a refused sign-in.</summary>
    public Task Write(AuditEvent e, CancellationToken ct)
    {
        var batch = new Batch();
        Add(batch, e);
        return database.Run(batch, ct);
    }
}
