using Gatehouse.Sessions;
using Gatehouse.Storage;
using Gatehouse.Testing;
using Gatehouse.Throttling;
using Xunit;

namespace Gatehouse.Tests.Sessions;

/// <summary>A database, a clock that tests move, and processes on them.</summary>
internal sealed class SessionFixture : IAsyncDisposable
{
    private readonly TestDatabase store;
    private readonly List<SessionNode> nodes = [];

    private readonly Database? feed;

    private SessionFixture(TestDatabase store, Database? feed, SessionOptions options)
    {
        this.store = store;
        this.feed = feed;
        Options = options;
        Raw = store.Open();
    }

    public ManualTime Time { get; } = new();

    public SessionOptions Options { get; }

    public ThrottleOptions Throttles { get; } = new();

    /// <summary>The database, past every use case.</summary>
    public Database Raw { get; }

    public SessionNode Node => nodes[0];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <param name="engine">The store's engine.</param>
    /// <param name="options">The session options.</param>
    /// <param name="feed">A database of its own for the feed; null keeps the feed in the store.</param>
    public static async Task<SessionFixture> Create(Engine engine, SessionOptions? options = null, Database? feed = null)
    {
        var fixture = new SessionFixture(await TestDatabase.Create(engine), feed, options ?? new SessionOptions());
        await fixture.StartAnother();
        return fixture;
    }

    /// <summary>One more process on the same database.</summary>
    public async Task<SessionNode> StartAnother(TimeProvider? time = null)
    {
        var node = await SessionNode.Start(store.Open(), feed, time ?? Time, Options, Throttles);
        nodes.Add(node);
        return node;
    }

    public Task<long> Count(Sql count, params ReadOnlySpan<Arg> args) => Raw.QueryOne(count, row => row.Long(0), Ct, args);

    public Task<long> CountAudit(Guid sessionId, string action) => Count(SessionRows.CountAudit, ("session", sessionId), ("action", action));

    public Task<long> CountLive(Guid userId) => Count(SessionRows.CountLive, ("user", userId));

    public async Task<SessionRows.State> Row(Guid sessionId) =>
        await Raw.QueryOne(SessionRows.Find, SessionRows.Read, Ct, ("id", sessionId)) ?? throw new InvalidOperationException("No such session.");

    public async ValueTask DisposeAsync()
    {
        nodes.ForEach(node => node.Dispose());
        await store.DisposeAsync();
    }
}

/// <summary>Rows as tests look at them and tamper with them.</summary>
internal static class SessionRows
{
    public static readonly Sql CountAudit =
        new("SELECT count(*) FROM audit_events WHERE audit_session_id = @session AND audit_action = @action");

    public static readonly Sql CountLive = new("SELECT count(*) FROM sessions WHERE session_user_id = @user AND session_status = 'active'");
    public static readonly Sql CountOutbox = new("SELECT count(*) FROM outbox WHERE template = 'refresh_token_reused'");
    public static readonly Sql RaiseEpoch = new("UPDATE users SET auth_epoch = auth_epoch + 1 WHERE user_id = @user");
    public static readonly Sql SetGeneration = new("UPDATE sessions SET generation = @generation WHERE session_id = @id");
    public static readonly Sql SetParent = new("UPDATE sessions SET parent_id = @parent WHERE session_id = @id");
    public static readonly Sql SetStatus = new("UPDATE sessions SET session_status = @status WHERE session_id = @id");

    public static readonly Sql SetLimit = new("""
        INSERT INTO settings (setting_name, setting_value) VALUES ('session_limit', @limit)
        ON CONFLICT (setting_name) DO UPDATE SET setting_value = @limit
        """);

    public static readonly Sql Find = new("""
        SELECT session_status, generation, version, rotated_at, refresh_tat, last_accessed_at, idle_until, reason_code
        FROM sessions WHERE session_id = @id
        """);

    public static State Read(Row row) => new(
        row.Text(0), row.Long(1), row.Long(2), row.Long(3), row.Long(4), row.Long(5), row.Long(6), row.Text(7));

    /// <summary>What refreshing and revoking may change about a session.</summary>
    public sealed record State(
        string Status, long Generation, long Version, long RotatedAt, long RefreshTat, long LastAccessedAt, long IdleUntil, string Reason);
}
