using Gatehouse.Storage;

namespace Gatehouse.Testing;

/// <summary>A database of a test's own, on either engine: where it is, and connections to it.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private static readonly Lazy<Task<string>> PostgresTemplate = new(MakePostgresTemplate);

    private readonly List<Database> opened = [];

    private TestDatabase(string folder, string? postgres)
    {
        Folder = folder;
        Postgres = postgres;
    }

    /// <summary>The data folder: master key, and the file on SQLite.</summary>
    public string Folder { get; }

    /// <summary>The connection string; null on SQLite.</summary>
    public string? Postgres { get; }

    /// <summary>An empty database, without a schema.</summary>
    public static async Task<TestDatabase> Empty(Engine engine)
    {
        var folder = Directory.CreateTempSubdirectory("gatehouse-test-").FullName;
        return new(folder, engine == Engine.Postgres ? await (await PostgresServer.Current).CreateDatabase() : null);
    }

    /// <summary>A database with the current schema and no rows.</summary>
    public static async Task<TestDatabase> Create(Engine engine)
    {
        var folder = Directory.CreateTempSubdirectory("gatehouse-test-").FullName;
        if (engine == Engine.Postgres)
        {
            return new(folder, await (await PostgresServer.Current).CreateDatabase(await PostgresTemplate.Value));
        }

        var database = new TestDatabase(folder, null);
        await Migrations.Apply(database.Open(), TimeProvider.System, CancellationToken.None);
        return database;
    }

    /// <summary>A further connection to the same data, as another process would have.</summary>
    public Database Open()
    {
        var database = Database.Open(Postgres, Path.Combine(Folder, "gatehouse.db"));
        opened.Add(database);
        return database;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var database in opened)
        {
            await database.DisposeAsync();
        }

        Directory.Delete(Folder, recursive: true);
    }

    private static async Task<string> MakePostgresTemplate()
    {
        const string name = "gatehouse_template";
        var server = await PostgresServer.Current;
        await server.Admin($"CREATE DATABASE {name}");
        await using var database = Database.Open(server.ConnectionString(name) + ";Pooling=false", "");
        await Migrations.Apply(database, TimeProvider.System, CancellationToken.None);
        return name;
    }
}
