using Gatehouse.Keys;
using Gatehouse.Storage;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Tests.Keys;

/// <summary>A fresh database, and what a key ring needs beside it.</summary>
internal sealed class KeyFixture : IAsyncDisposable
{
    public const string MasterText = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    private readonly TestDatabase store;

    private KeyFixture(TestDatabase store)
    {
        this.store = store;
        Random = new Randomness(Time);
        Database = store.Open();
    }

    public static MasterKey Master { get; } = MasterKey.FromText(MasterText);

    public ManualTime Time { get; } = new();

    public Randomness Random { get; }

    public Database Database { get; }

    public static async Task<KeyFixture> Create(Engine engine = Engine.Sqlite) =>
        new(await TestDatabase.Create(engine));

    /// <summary>The same database, opened as another process would.</summary>
    public Database OpenDatabase() => store.Open();

    public Task<KeyRing> Open(MasterKey? master = null, Database? database = null, KeyOptions? options = null) => KeyRing.Open(
        database ?? Database, master ?? Master, Random, Time, options ?? new KeyOptions(), TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => store.DisposeAsync();
}
