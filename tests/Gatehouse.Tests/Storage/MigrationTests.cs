using Gatehouse.Storage;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Tests.Storage;

public sealed class MigrationTests
{
    private static readonly Sql Names = new("SELECT migration_name FROM schema_migrations ORDER BY migration_number");
    private static readonly Sql Change = new("UPDATE schema_migrations SET migration_checksum = 'another' WHERE migration_number = 2");
    private static readonly Sql CountTried = new("SELECT count(*) FROM tried");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    public async Task Two_processes_that_start_together_on_an_empty_database_make_one_schema(Engine engine)
    {
        for (var repetition = 0; repetition < (engine == Engine.Sqlite ? 12 : 4); repetition++)
        {
            await using var store = await TestDatabase.Empty(engine);
            var applied = await Together.Run(2, async _ =>
            {
                await using var db = Database.Open(store.Postgres, Path.Combine(store.Folder, "gatehouse.db"));
                return await Migrations.Apply(db, TimeProvider.System, Ct);
            });

            var names = Assert.Single(applied, a => a.Count > 0);
            Assert.Equal(names, await store.Open().Query(Names, row => row.Text(0), Ct));
        }
    }

    [Theory]
    [BothEngines]
    public async Task The_history_names_every_step_and_a_second_start_applies_nothing(Engine engine)
    {
        await using var store = await TestDatabase.Create(engine);
        var db = store.Open();

        Assert.Equal(["0001_foundation", "0002_session_feed"], (await db.Query(Names, row => row.Text(0), Ct)).Take(2));
        Assert.Empty(await Migrations.Apply(db, TimeProvider.System, Ct));
    }

    [Theory]
    [BothEngines]
    public async Task A_step_whose_text_changed_after_it_was_applied_stops_the_start(Engine engine)
    {
        await using var store = await TestDatabase.Create(engine);
        var db = store.Open();
        await db.Execute(Change, Ct);

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => Migrations.Apply(db, TimeProvider.System, Ct));

        Assert.Contains("0002_session_feed", refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidOperationException>(() => Migrations.Apply(db, TimeProvider.System, Ct));
    }

    [Theory]
    [BothEngines]
    public async Task A_step_of_a_newer_release_is_left_alone(Engine engine)
    {
        await using var store = await TestDatabase.Create(engine);
        var db = store.Open();
        var newer = new Migration(9999, "9999_newer", "a newer release's text");
        await db.Execute(
            Migrations.Record, Ct, ("number", newer.Number), ("name", newer.Name), ("checksum", newer.Checksum), ("now", 1));

        Assert.Empty(await Migrations.Apply(db, TimeProvider.System, Ct));
    }

    [Theory]
    [BothEngines]
    public async Task A_step_that_fails_leaves_nothing_and_can_be_applied_once_it_is_mended(Engine engine)
    {
        await using var store = await TestDatabase.Create(engine);
        var db = store.Open();
        Migration broken = new(9001, "9001_tried", "CREATE TABLE tried (a bigint); INSERT INTO nowhere VALUES (1)");
        Migration mended = new(9001, "9001_tried", "CREATE TABLE tried (a bigint); INSERT INTO tried VALUES (1)");

        await Assert.ThrowsAnyAsync<Exception>(() => db.Migrate([broken], 1, Ct));
        await Assert.ThrowsAnyAsync<Exception>(() => db.QueryOne(CountTried, row => row.Long(0), Ct));

        Assert.Equal([mended], await db.Migrate([mended], 1, Ct));
        Assert.Equal(1, await db.QueryOne(CountTried, row => row.Long(0), Ct));
    }
}
