using Gatehouse.Storage;
using Npgsql;
using Xunit;

namespace Gatehouse.Tests.Delivery;

/// <summary>A fresh database per test: a SQLite file in a temporary folder, or a new PostgreSQL database.</summary>
internal sealed class TestStore : IAsyncDisposable
{
    private static readonly string? Server = Environment.GetEnvironmentVariable("GATEHOUSE_TEST_POSTGRES");

    private readonly string name = $"gatehouse_{Guid.NewGuid():N}";
    private readonly List<Database> opened = [];
    private readonly bool isPostgres;

    private TestStore(string engine) => isPostgres = engine == "PostgreSQL";

    public static TheoryData<string> Engines => ["SQLite", "PostgreSQL"];

    private string Folder => Path.Combine(Path.GetTempPath(), name);

    public static async Task<TestStore> Create(string engine, CancellationToken ct)
    {
        var store = new TestStore(engine);
        Assert.SkipWhen(store.isPostgres && string.IsNullOrEmpty(Server), "GATEHOUSE_TEST_POSTGRES is not set.");
        if (store.isPostgres)
        {
            await OnServer($"CREATE DATABASE {store.name}", ct);
        }
        else
        {
            Directory.CreateDirectory(store.Folder);
        }

        await Migrations.Apply(store.Open(), TimeProvider.System, ct);
        return store;
    }

    /// <summary>A further connection to the same data, as another process would have.</summary>
    public Database Open()
    {
        var db = Database.Open(
            isPostgres ? new NpgsqlConnectionStringBuilder(Server) { Database = name }.ConnectionString : null,
            Path.Combine(Folder, "gatehouse.db"));
        opened.Add(db);
        return db;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var db in opened)
        {
            await db.DisposeAsync();
        }

        if (isPostgres)
        {
            await OnServer($"DROP DATABASE {name} WITH (FORCE)", CancellationToken.None);
        }
        else
        {
            Directory.Delete(Folder, recursive: true);
        }
    }

    private static async Task OnServer(string statement, CancellationToken ct)
    {
        await using var source = NpgsqlDataSource.Create(Server!);
        await using var command = source.CreateCommand(statement);
        await command.ExecuteNonQueryAsync(ct);
    }
}
