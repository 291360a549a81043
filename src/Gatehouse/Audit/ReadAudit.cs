using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Gatehouse.Storage;

namespace Gatehouse.Audit;

/// <summary>A line of the audit trail as it was written; time in Unix ms.</summary>
public sealed record AuditRow(
    Guid Id,
    long At,
    string Action,
    string Outcome,
    Guid? UserId,
    Guid? SessionId,
    Guid? TenantId,
    Actor Actor,
    string RequestId,
    string Ip,
    string AddressHash,
    string Details);

/// <summary>Which events to read; null for all.</summary>
public sealed record AuditFilter(Guid? UserId, Guid? SessionId, string? Action);

/// <summary>Reads the audit trail, in the order it was written. An event's id is the cursor behind which one reads on.</summary>
public sealed class ReadAudit(Database database, TimeProvider time)
{
    /// <summary>How often a follower looks for more.</summary>
    public static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(500);

    // Ids are given before their transaction commits, so an event may appear behind one that was made after it; not by more than this.
    private static readonly TimeSpan LatestCommit = TimeSpan.FromSeconds(10);

    private const int PageSize = 1000;

    private const string Columns = """
        SELECT audit_id, audit_at, audit_action, audit_outcome, audit_user_id, audit_session_id, audit_tenant_id, audit_actor_type,
               audit_actor_id, audit_request_id, audit_ip, audit_address_hash, audit_details
        FROM audit_events
        """;

    private static readonly Sql NewestOfAll = new($"{Columns} ORDER BY audit_id DESC LIMIT @limit");
    private static readonly Sql NewestOfUser = new($"{Columns} WHERE audit_user_id = @user ORDER BY audit_id DESC LIMIT @limit");
    private static readonly Sql AfterOfAll = new($"{Columns} WHERE audit_id > @cursor ORDER BY audit_id LIMIT @limit");

    // One text for each combination, so that the engine sees which index serves it.
    private static readonly Sql[] BeforeOf = [.. Enumerable.Range(0, 8).Select(which => new Sql($"""
        {Columns}
        WHERE audit_id < @cursor
          {((which & 1) != 0 ? "AND audit_user_id = @user" : "")}
          {((which & 2) != 0 ? "AND audit_session_id = @session" : "")}
          {((which & 4) != 0 ? "AND audit_action = @action" : "")}
        ORDER BY audit_id DESC LIMIT @limit
        """))];

    private static readonly Sql AfterOfUser =
        new($"{Columns} WHERE audit_user_id = @user AND audit_id > @cursor ORDER BY audit_id LIMIT @limit");

    /// <summary>The newest events, of one user or of all, oldest of them first.</summary>
    public async Task<IReadOnlyList<AuditRow>> Newest(Guid? userId, int limit, CancellationToken ct)
    {
        var rows = userId is { } user
            ? await database.Query(NewestOfUser, Read, ct, ("user", user), ("limit", limit))
            : await database.Query(NewestOfAll, Read, ct, ("limit", limit));
        return [.. rows.Reverse()];
    }

    /// <summary>The events before the cursor, or the newest without one, newest first.</summary>
    public Task<IReadOnlyList<AuditRow>> Before(Guid? cursor, AuditFilter filter, int limit, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(filter);
        List<Arg> args = [("cursor", cursor ?? Guid.AllBitsSet), ("limit", limit)];
        var which = 0;
        if (filter.UserId is { } user)
        {
            which |= 1;
            args.Add(("user", user));
        }

        if (filter.SessionId is { } session)
        {
            which |= 2;
            args.Add(("session", session));
        }

        if (filter.Action is { } action)
        {
            which |= 4;
            args.Add(("action", action));
        }

        return database.Query(BeforeOf[which], Read, ct, [.. args]);
    }

    /// <summary>The events behind the cursor, oldest first; fewer than the limit when there are no more.</summary>
    public Task<IReadOnlyList<AuditRow>> After(Guid cursor, Guid? userId, int limit, CancellationToken ct) => userId is { } user
        ? database.Query(AfterOfUser, Read, ct, ("user", user), ("cursor", cursor), ("limit", limit))
        : database.Query(AfterOfAll, Read, ct, ("cursor", cursor), ("limit", limit));

    /// <summary>The newest events, and then every further one as it is written, each once, until cancelled.</summary>
    public async IAsyncEnumerable<AuditRow> Follow(Guid? userId, int limit, [EnumeratorCancellation] CancellationToken ct)
    {
        // 1. What is in the overlap already and not among the newest was left out on purpose.
        var seen = new HashSet<Guid>();
        await foreach (var row in Overlap(userId, ct))
        {
            seen.Add(row.Id);
        }

        // 2. Where to begin.
        foreach (var row in await Newest(userId, limit, ct))
        {
            seen.Add(row.Id);
            yield return row;
        }

        // 3. Each time again the last few seconds, less what was seen of them.
        using var timer = new PeriodicTimer(PollInterval, time);
        while (await timer.WaitForNextTickAsync(ct))
        {
            var still = new HashSet<Guid>();
            await foreach (var row in Overlap(userId, ct))
            {
                still.Add(row.Id);
                if (!seen.Contains(row.Id))
                {
                    yield return row;
                }
            }

            seen = still;
        }
    }

    private async IAsyncEnumerable<AuditRow> Overlap(Guid? userId, [EnumeratorCancellation] CancellationToken ct)
    {
        var cursor = FirstIdOf(time.Now() - LatestCommit.Milliseconds());
        IReadOnlyList<AuditRow> page;
        do
        {
            page = await After(cursor, userId, PageSize, ct);
            foreach (var row in page)
            {
                yield return row;
            }

            cursor = page.Count > 0 ? page[^1].Id : cursor;
        }
        while (page.Count == PageSize);
    }

    // Below every id that was made in this millisecond (RFC 9562 §5.7).
    private static Guid FirstIdOf(long milliseconds)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)(milliseconds >> 32));
        BinaryPrimitives.WriteUInt32BigEndian(bytes[2..], (uint)milliseconds);
        return new Guid(bytes, bigEndian: true);
    }

    private static AuditRow Read(Row row) => new(
        row.Id(0),
        row.Long(1),
        row.Text(2),
        row.Text(3),
        row.IdOrNull(4),
        row.IdOrNull(5),
        row.IdOrNull(6),
        new Actor(row.Text(7), row.Text(8)),
        row.Text(9),
        row.Text(10),
        row.Text(11),
        row.Text(12));
}
