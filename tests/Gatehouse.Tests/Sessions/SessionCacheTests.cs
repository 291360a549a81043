using Gatehouse.Projection;
using Gatehouse.Sessions;
using Gatehouse.Storage;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Tests.Sessions;

public sealed class SessionCacheTests
{
    private static readonly Sql SetRoles = new("UPDATE sessions SET roles = @roles, version = version + 1 WHERE session_id = @id");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_session_is_read_once_and_then_known()
    {
        await using var fixture = await SessionFixture.Create(Engine.Sqlite);
        var node = await fixture.StartAnother();
        var id = (await fixture.Node.OpenForNewUser()).Session.SessionId;

        Assert.Equal(id, (await node.Cache.Get(id, Ct))?.SessionId);
        var calls = node.Database.Calls;
        Assert.NotNull(await node.Cache.Get(id, Ct));
        Assert.Equal(calls, node.Database.Calls);
    }

    [Fact]
    public async Task A_session_opened_here_is_known_at_once()
    {
        await using var fixture = await SessionFixture.Create(Engine.Sqlite);
        var opened = await fixture.Node.OpenForNewUser();
        var calls = fixture.Node.Database.Calls;

        Assert.Equal(opened.Session, await fixture.Node.Cache.Get(opened.Session.SessionId, Ct));
        Assert.Equal(calls, fixture.Node.Database.Calls);
    }

    [Fact]
    public async Task A_change_that_arrives_while_a_read_is_under_way_is_not_lost()
    {
        await using var fixture = await SessionFixture.Create(Engine.Sqlite);
        var reader = await fixture.StartAnother();
        var id = (await fixture.Node.OpenForNewUser()).Session.SessionId;
        var held = reader.Database.HoldNextAnswer();
        var reading = reader.Cache.Get(id, Ct).AsTask();
        await held.Decided;

        reader.Cache.Apply(Assert.Single(await fixture.Node.End(id)));
        held.Release();

        Assert.Equal(SessionStatus.Revoked, (await reading)?.Status);
        Assert.Equal(SessionStatus.Revoked, (await reader.Cache.Get(id, Ct))?.Status);
    }

    [Fact]
    public async Task A_change_after_a_gap_makes_a_read_that_is_under_way_start_again()
    {
        await using var fixture = await SessionFixture.Create(Engine.Sqlite);
        var reader = await fixture.StartAnother();
        var id = (await fixture.Node.OpenForNewUser()).Session.SessionId;
        var held = reader.Database.HoldNextAnswer();
        var reading = reader.Cache.Get(id, Ct).AsTask();
        await held.Decided;

        await fixture.Node.End(id);
        reader.Cache.Clear();
        held.Release();

        Assert.Equal(SessionStatus.Revoked, (await reading)?.Status);
        Assert.Equal(SessionStatus.Revoked, (await reader.Cache.Get(id, Ct))?.Status);
    }

    [Fact]
    public async Task After_a_gap_everything_is_read_again_also_what_is_being_opened()
    {
        await using var fixture = await SessionFixture.Create(Engine.Sqlite);
        var (node, other) = (fixture.Node, await fixture.StartAnother());
        var user = await node.NewUser();
        var known = await node.Open(user);
        var held = node.Database.HoldNextAnswer();
        var opening = node.Open(user);
        await held.Decided;

        await other.EndAll(user.UserId);
        node.Cache.Clear();
        held.Release();

        Assert.Equal(BearerFailure.Revoked, await node.Check((await opening).Session));
        Assert.Equal(BearerFailure.Revoked, await node.Check(known.Session));
    }

    [Fact]
    public async Task A_gap_at_any_moment_of_a_read_leaves_nothing_stale()
    {
        await using var fixture = await SessionFixture.Create(Engine.Sqlite);
        var (writer, reader) = (fixture.Node, await fixture.StartAnother());
        var id = (await writer.OpenForNewUser()).Session.SessionId;
        for (var repetition = 1; repetition <= 150; repetition++)
        {
            reader.Cache.Clear();
            var roles = $"role{repetition}";
            await Together.Run(
                async () => await reader.Cache.Get(id, Ct),
                async () => await reader.Cache.Get(id, Ct),
                async () =>
                {
                    await fixture.Raw.Execute(SetRoles, Ct, ("roles", roles), ("id", id));
                    reader.Cache.Clear();
                });

            Assert.Equal(roles, (await reader.Cache.Get(id, Ct))?.Roles);
        }
    }

    [Fact]
    public async Task An_unknown_id_is_asked_for_once_a_second_and_a_change_ends_that()
    {
        await using var fixture = await SessionFixture.Create(Engine.Sqlite);
        var reader = await fixture.StartAnother();
        var opened = (await fixture.Node.OpenForNewUser()).Session;
        var unknown = Guid.NewGuid();
        await Ask(1);
        fixture.Time.Advance(TimeSpan.FromMilliseconds(999));
        await Ask(0);
        fixture.Time.Advance(TimeSpan.FromMilliseconds(1));
        await Ask(1);
        reader.Cache.Apply(opened with { SessionId = unknown });
        await Ask(1);
        reader.Cache.Clear();
        await Ask(1);

        async Task Ask(int calls)
        {
            var before = reader.Database.Calls;
            for (var i = 0; i < 3; i++)
            {
                Assert.Null(await reader.Cache.Get(unknown, Ct));
            }

            Assert.Equal(calls, reader.Database.Calls - before);
        }
    }

    [Fact]
    public async Task A_session_that_appears_while_its_id_is_unknown_is_there_at_once()
    {
        await using var fixture = await SessionFixture.Create(Engine.Sqlite);
        var reader = await fixture.StartAnother();
        var opened = (await fixture.Node.OpenForNewUser()).Session;
        var later = opened with { SessionId = Guid.NewGuid() };
        var held = reader.Database.HoldNextAnswer();
        var reading = reader.Cache.Get(later.SessionId, Ct).AsTask();
        await held.Decided;

        reader.Cache.Apply(later);
        held.Release();

        Assert.Equal(later, await reading);
        Assert.Equal(later, await reader.Cache.Get(later.SessionId, Ct));
    }

    [Fact]
    public async Task Invented_ids_push_nothing_out()
    {
        await using var fixture = await SessionFixture.Create(Engine.Sqlite, new SessionOptions { CacheCapacity = 10 });
        var node = fixture.Node;
        var opened = await node.OpenForNewUser();

        await Together.Run(10_000, async _ => await node.Cache.Get(Guid.NewGuid(), Ct));

        var calls = node.Database.Calls;
        Assert.NotNull(await node.Cache.Get(opened.Session.SessionId, Ct));
        Assert.Equal(calls, node.Database.Calls);
        Assert.Equal(1, node.Cache.Count);
    }

    [Fact]
    public async Task A_read_that_fails_is_not_remembered()
    {
        var store = await TestDatabase.Empty(Engine.Sqlite);
        await using var _ = store;
        var time = new ManualTime();
        var cache = new SessionCache(
            new SessionStore(store.Open(), time), new FeedView(time, new ProjectionOptions()), time, new SessionOptions());
        var id = Guid.NewGuid();

        await Assert.ThrowsAnyAsync<Exception>(async () => await cache.Get(id, Ct));
        await Assert.ThrowsAnyAsync<Exception>(async () => await cache.Get(id, Ct));

        Assert.Equal(0, cache.Count);
    }

    [Fact]
    public async Task The_cache_stays_within_its_capacity_and_right_under_use_from_many_threads()
    {
        const int capacity = 100;
        const int slack = 256; // Only each 256th arrival counts.
        await using var fixture = await SessionFixture.Create(Engine.Sqlite, new SessionOptions { CacheCapacity = capacity, Limit = 10_000 });
        var node = fixture.Node;
        var user = await node.NewUser();
        var opened = await Together.Run(600, _ => node.Open(user));

        var ended = opened.Take(100).Select(o => o.Session.SessionId).ToHashSet();
        await Together.Run(1500, async i => i < 100
            ? await node.End(opened[i].Session.SessionId)
            : [(await node.Cache.Get(opened[i % 600].Session.SessionId, Ct))!]);

        Assert.InRange(node.Cache.Count, 0, capacity + slack);
        foreach (var session in opened)
        {
            var id = session.Session.SessionId;
            Assert.Equal(ended.Contains(id), (await node.Cache.Get(id, Ct))!.Status == SessionStatus.Revoked);
        }
    }
}
