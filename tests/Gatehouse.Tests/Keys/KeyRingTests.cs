using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gatehouse.Keys;
using Gatehouse.Storage;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Tests.Keys;

public sealed class KeyRingTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    public async Task An_empty_database_gets_one_set_and_keeps_it(Engine engine)
    {
        await using var fixture = await KeyFixture.Create(engine);
        Assert.False(await KeyRing.HasKeys(fixture.Database, Ct));

        var first = await fixture.Open();
        var second = await fixture.Open();

        Assert.True(await KeyRing.HasKeys(fixture.Database, Ct));
        Assert.Equal(first.List(), second.List());
        Assert.Equal(first.Current.Derive("csrf"), second.Current.Derive("csrf"));
        Assert.Equal(
            [(KeyUse.Signing, KeyState.Current), (KeyUse.Signing, KeyState.Next), (KeyUse.Refresh, KeyState.Current), (KeyUse.Refresh, KeyState.Next), (KeyUse.Secret, KeyState.Current)],
            first.List().Select(key => (key.Use, key.State)));
    }

    [Theory]
    [BothEngines]
    public async Task Starts_at_once_on_an_empty_database_make_one_set(Engine engine)
    {
        await using var fixture = await KeyFixture.Create(engine);
        Database[] databases = [fixture.Database, fixture.OpenDatabase(), fixture.OpenDatabase(), fixture.OpenDatabase()];

        var rings = await Task.WhenAll(databases.Select(database => Task.Run(() => fixture.Open(database: database))));

        Assert.All(rings, ring => Assert.Equal(rings[0].List(), ring.List()));
        Assert.All(rings, ring => Assert.Equal(rings[0].Current.Derive("x"), ring.Current.Derive("x")));
        Assert.Equal(5, rings[0].List().Count);
    }

    [Theory]
    [BothEngines]
    public async Task A_wrong_master_key_stops_the_start_and_makes_nothing(Engine engine)
    {
        await using var fixture = await KeyFixture.Create(engine);
        var before = (await fixture.Open()).List();

        var error = await Assert.ThrowsAsync<KeyException>(
            () => fixture.Open(MasterKey.FromText(Convert.ToBase64String(fixture.Random.Bytes(32)))));

        Assert.Contains("does not open the keys of this database", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, (await fixture.Open()).List());
    }

    [Fact]
    public async Task An_exchanged_public_key_stops_the_start()
    {
        await using var fixture = await KeyFixture.Create();
        await fixture.Open();
        await fixture.Database.Execute(
            new Sql("UPDATE keys SET public_key = @public WHERE key_number = 1"), Ct, ("public", SigningKey.Generate().PublicKey));

        await Assert.ThrowsAsync<KeyException>(() => fixture.Open());
    }

    [Fact]
    public async Task Purpose_keys_differ_and_stay()
    {
        await using var fixture = await KeyFixture.Create();
        var ring = await fixture.Open();
        var derived = ring.Current.Derive("csrf");
        await ring.Reload(Ct);

        Assert.Equal(32, derived.Length);
        Assert.NotEqual(derived, ring.Current.Derive("otp"));
        Assert.Same(derived, ring.Current.Derive("csrf"));
    }

    [Fact]
    [Trait("Requirement", "G5")]
    public async Task Rfc7517_9_3_TheJwksHasPublicMembersOnly()
    {
        await using var fixture = await KeyFixture.Create();
        var set = (await fixture.Open()).Current;

        using var jwks = JsonDocument.Parse(set.Jwks);
        var keys = jwks.RootElement.GetProperty("keys").EnumerateArray().ToList();
        Assert.Equal(2, keys.Count);
        foreach (var key in keys)
        {
            Assert.Equal(["kty", "crv", "x", "y", "use", "alg", "kid"], key.EnumerateObject().Select(member => member.Name));
            Assert.Equal("sig", key.GetProperty("use").GetString());
            Assert.Equal("ES256", key.GetProperty("alg").GetString());
            Assert.True(set.Trusted.ContainsKey(key.GetProperty("kid").GetString()!));
        }
    }

    [Fact]
    public async Task Rfc7638_3_TheKidIsTheThumbprintOfThePublishedKey()
    {
        await using var fixture = await KeyFixture.Create();
        var set = (await fixture.Open()).Current;
        using var jwks = JsonDocument.Parse(set.Jwks);
        var key = jwks.RootElement.GetProperty("keys")[0];
        var canonical = $$"""{"crv":"P-256","kty":"EC","x":"{{key.GetProperty("x").GetString()}}","y":"{{key.GetProperty("y").GetString()}}"}""";

        Assert.Equal(Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(canonical))), key.GetProperty("kid").GetString());
        Assert.Equal(set.Signing.Kid, key.GetProperty("kid").GetString());
    }

    [Fact]
    public async Task A_signature_holds_under_the_published_key()
    {
        await using var fixture = await KeyFixture.Create();
        var set = (await fixture.Open()).Current;
        var signature = new byte[64];
        set.Signing.Sign("data"u8, signature);

        using var jwks = JsonDocument.Parse(set.Jwks);
        var key = jwks.RootElement.GetProperty("keys")[0];
        using var ecdsa = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint
            {
                X = Base64Url.DecodeFromChars(key.GetProperty("x").GetString()),
                Y = Base64Url.DecodeFromChars(key.GetProperty("y").GetString()),
            },
        });
        Assert.True(ecdsa.VerifyData("data"u8, signature, HashAlgorithmName.SHA256));
    }

    [Theory]
    [BothEngines]
    public async Task Reloads_for_unknown_keys_are_shared_and_at_most_one_per_second(Engine engine)
    {
        await using var fixture = await KeyFixture.Create(engine);
        var counted = new CountingDatabase(fixture.Database);
        var ring = await fixture.Open(database: counted);
        var atStart = counted.Reads;

        var first = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => ring.ReloadForUnknownKid(Ct))));
        Assert.Equal(atStart + 1, counted.Reads);
        Assert.Contains(true, first);
        Assert.False(await ring.ReloadForUnknownKid(Ct));

        fixture.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(await ring.ReloadForUnknownKid(Ct));
        Assert.Equal(atStart + 2, counted.Reads);
    }

    [Fact]
    public async Task A_failed_reload_is_not_taken_for_an_unknown_key()
    {
        await using var fixture = await KeyFixture.Create();
        var counted = new CountingDatabase(fixture.Database);
        var ring = await fixture.Open(database: counted);
        var set = ring.Current;
        counted.Fails = true;

        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => ring.ReloadForUnknownKid(Ct));
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => ring.ReloadForUnknownKid(Ct));
        Assert.Same(set, ring.Current);

        counted.Fails = false;
        fixture.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(await ring.ReloadForUnknownKid(Ct));
    }

    /// <summary>Counts reads, and fails them on demand.</summary>
    private sealed class CountingDatabase(Database inner) : Database
    {
        private int reads;

        public int Reads => reads;

        public bool Fails { get; set; }

        public override string Engine => inner.Engine;

        public override Task<IReadOnlyList<T>> Query<T>(Sql sql, Func<Row, T> read, CancellationToken ct, params ReadOnlySpan<Arg> args)
        {
            Interlocked.Increment(ref reads);
            return Fails ? throw new DatabaseUnavailableException("Down.") : inner.Query(sql, read, ct, args);
        }

        public override Task<T?> QueryOne<T>(Sql sql, Func<Row, T> read, CancellationToken ct, params ReadOnlySpan<Arg> args)
            where T : default => inner.QueryOne(sql, read, ct, args);

        public override Task<int> Execute(Sql sql, CancellationToken ct, params ReadOnlySpan<Arg> args) => inner.Execute(sql, ct, args);

        public override Task Run(Batch batch, CancellationToken ct) => inner.Run(batch, ct);

        public override Task<T> InTransaction<T>(Func<Statements, Task<T>> work, CancellationToken ct) => inner.InTransaction(work, ct);

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

        internal override Task<IReadOnlyList<Migration>> Migrate(IReadOnlyList<Migration> migrations, long now, CancellationToken ct) =>
            inner.Migrate(migrations, now, ct);
    }
}
