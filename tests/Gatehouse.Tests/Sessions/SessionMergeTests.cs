using FsCheck;
using FsCheck.Fluent;
using Gatehouse.Projection;
using Gatehouse.Sessions;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Tests.Sessions;

public sealed class SessionMergeTests
{
    private static readonly Guid Id = Guid.Parse("019bc0de-0000-7000-8000-0123456789ab");

    // Versions from a small range, so that repeats and both orders are common; one in five is a revoke.
    private static readonly Arbitrary<IList<SessionSnapshot>> Changes =
        (from version in Gen.Choose(1, 8)
         from dice in Gen.Choose(0, 4)
         select Snapshot(version, dice == 0 ? SessionStatus.Revoked : SessionStatus.Active)).NonEmptyListOf().Select(list => (IList<SessionSnapshot>)list).ToArbitrary();

    [Fact]
    public void Changes_in_any_order_end_in_the_newest_and_a_revoke_is_final() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(1000), Prop.ForAll(Changes, changes =>
        {
            var cache = Fresh();
            foreach (var change in changes)
            {
                cache.Apply(change);
            }

            var last = cache.Get(Id, CancellationToken.None).AsTask().GetAwaiter().GetResult();
            var revoked = changes.FirstOrDefault(change => change.Status == SessionStatus.Revoked);
            return last == (revoked ?? changes.MaxBy(change => change.Version));
        }));

    [Fact]
    public async Task Changes_from_many_threads_end_in_the_newest()
    {
        for (var repetition = 0; repetition < 100; repetition++)
        {
            var cache = Fresh();
            await Together.Run(20, i =>
            {
                cache.Apply(Snapshot(1 + ((i * 7) % 20), SessionStatus.Active));
                return Task.FromResult(0);
            });

            Assert.Equal(20, (await cache.Get(Id, TestContext.Current.CancellationToken))!.Version);
        }
    }

    // Nothing is ever read: the session's place is taken before the first change.
    private static SessionCache Fresh()
    {
        var cache = new SessionCache(null!, new FeedView(new ManualTime(), new ProjectionOptions()), new ManualTime(), new SessionOptions());
        cache.Expect(Id);
        return cache;
    }

    private static SessionSnapshot Snapshot(long version, string status) => new()
    {
        SessionId = Id,
        Kind = SessionKind.Browser,
        ClientId = "",
        UserId = Id,
        Status = status,
        Version = version,
        ExpiresAt = long.MaxValue,
        Roles = "",
        PermissionVersion = 0,
        Scope = "",
        Amr = "pwd",
        AuthTime = 0,
        DpopJkt = "",
        SecretHash = "",
        RevokedAt = 0,
        ReasonCode = "",
        Actor = "",
    };
}
