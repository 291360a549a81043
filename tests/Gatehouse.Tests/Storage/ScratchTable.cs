using Gatehouse.Storage;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Tests.Storage;

/// <summary>A database with one table, for tests of storage itself.</summary>
internal sealed class ScratchTable : IAsyncDisposable
{
    public static readonly Sql Insert = new("INSERT INTO scratch (scratch_id, note) VALUES (@id, @note)");
    public static readonly Sql InsertReturning = new("INSERT INTO scratch (scratch_id, note) VALUES (@id, @note) RETURNING scratch_id, note");
    public static readonly Sql All = new("SELECT scratch_id FROM scratch ORDER BY scratch_id");
    public static readonly Sql Rename = new("UPDATE scratch SET note = @note WHERE scratch_id = @id");

    private static readonly Sql Make =
        new("CREATE TABLE scratch (scratch_id bigint PRIMARY KEY, note text, number bigint, guid uuid, bytes bytea)");

    private readonly TestDatabase store;

    private ScratchTable(TestDatabase store)
    {
        this.store = store;
        Database = store.Open();
    }

    public Database Database { get; }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<ScratchTable> Create(Engine engine)
    {
        var scratch = new ScratchTable(await TestDatabase.Empty(engine));
        await scratch.Database.Execute(Make, Ct);
        return scratch;
    }

    /// <summary>The same data from another process.</summary>
    public Database OpenAnother() => store.Open();

    /// <summary>A connection that the test itself closes.</summary>
    public Database OpenUnowned() => Database.Open(store.Postgres, Path.Combine(store.Folder, "gatehouse.db"));

    public static Task<int> Add(Statements db, long id, string note = "") => db.Execute(Insert, Ct, ("id", id), ("note", note));

    public static Task<IReadOnlyList<long>> Ids(Statements db) => db.Query(All, row => row.Long(0), Ct);

    public Task<IReadOnlyList<long>> Ids() => Ids(Database);

    public ValueTask DisposeAsync() => store.DisposeAsync();
}
