using System.Text;
using Gatehouse.Keys;
using Gatehouse.Storage;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Tests.Keys;

public sealed class KeyRotationTests
{
    private static readonly Sql InsertSession = new("""
        INSERT INTO sessions (session_id, kind, session_user_id, session_tenant_id, client_id, dpop_jkt, parent_id, session_status,
            version, published_version, roles, permission_version, scope, amr, auth_time, secret_hash, refresh_secret, refresh_key,
            generation, rotated_at, refresh_tat, retry_hash, idle_ttl, idle_until, absolute_until, session_created_at,
            last_accessed_at, revoked_at, reason_code, revoked_by, method, device_name, ip, ip_prefix, user_agent)
        VALUES (@id, 'browser', @id, NULL, '', '', NULL, 'active', 1, 1, '', 1, '', 'pwd', 0, '', @secret, @key, 0, 0, 0, '', 0, 0,
            @until, 0, 0, 0, '', '', '', '', '', '', '')
        """);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    [Trait("Requirement", "G4")]
    public async Task A_signing_key_is_published_before_it_signs_and_stays_until_its_last_token_has_expired(Engine engine)
    {
        await using var fixture = await KeyFixture.Create(engine);
        var ring = await fixture.Open();
        var a = ring.Current.Signing.Kid;
        var b = Kid(ring, KeyState.Next);
        Assert.Contains(b, Jwks(ring), StringComparison.Ordinal);

        fixture.Time.Advance(TimeSpan.FromDays(30) - TimeSpan.FromMinutes(1));
        await ring.Maintain(Ct);
        Assert.Equal(a, ring.Current.Signing.Kid);

        fixture.Time.Advance(TimeSpan.FromMinutes(1));
        await ring.Maintain(Ct);
        var c = Kid(ring, KeyState.Next);
        Assert.Equal(b, ring.Current.Signing.Kid);
        Assert.Equal([a, b, c], ring.List().Where(key => key.Use == KeyUse.Signing).Select(key => key.Kid));
        Assert.All([a, b, c], kid => Assert.Contains(kid, Jwks(ring), StringComparison.Ordinal));

        fixture.Time.Advance(TimeSpan.FromMinutes(65) - TimeSpan.FromMilliseconds(1));
        await ring.Maintain(Ct);
        Assert.True(ring.Current.Trusted.ContainsKey(a));

        fixture.Time.Advance(TimeSpan.FromMilliseconds(1));
        await ring.Maintain(Ct);
        Assert.False(ring.Current.Trusted.ContainsKey(a));
        Assert.DoesNotContain(a, Jwks(ring), StringComparison.Ordinal);
        Assert.Equal(b, ring.Current.Signing.Kid);
    }

    [Theory]
    [BothEngines]
    [Trait("Requirement", "G4")]
    public async Task Under_hasty_rotation_no_key_signs_that_was_not_published_for_an_hour(Engine engine)
    {
        await using var fixture = await KeyFixture.Create(engine);
        var ring = await fixture.Open(options: new KeyOptions { SigningKeyLife = TimeSpan.FromMinutes(30) });
        var published = ring.Current.Trusted.Keys.ToDictionary(kid => kid, _ => DateTimeOffset.MinValue);
        for (var minute = 0; minute < 600; minute += 5)
        {
            foreach (var kid in ring.Current.Trusted.Keys)
            {
                published.TryAdd(kid, fixture.Time.GetUtcNow());
            }

            Assert.True(fixture.Time.GetUtcNow() - published[ring.Current.Signing.Kid] >= TimeSpan.FromHours(1));
            fixture.Time.Advance(TimeSpan.FromMinutes(5));
            await ring.Maintain(Ct);
        }

        Assert.InRange(published.Count, 8, 14);
    }

    [Theory]
    [BothEngines]
    public async Task Of_two_nodes_that_rotate_at_once_one_wins(Engine engine)
    {
        await using var fixture = await KeyFixture.Create(engine);
        var rings = new List<KeyRing> { await fixture.Open(), await fixture.Open(database: fixture.OpenDatabase()), await fixture.Open(database: fixture.OpenDatabase()) };
        fixture.Time.Advance(TimeSpan.FromDays(91));

        await Task.WhenAll(rings.Select(ring => Task.Run(() => ring.Maintain(Ct))));

        foreach (var ring in rings)
        {
            await ring.Reload(Ct);
            Assert.Equal(rings[0].List(), ring.List());
        }

        // Five of the first set, and one new next each for signing and refresh.
        Assert.Equal(7, rings[0].List().Count);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7], rings[0].List().Select(key => key.Number).Order());
    }

    [Theory]
    [BothEngines]
    public async Task A_retired_refresh_key_stays_while_a_live_session_names_it(Engine engine)
    {
        await using var fixture = await KeyFixture.Create(engine);
        var ring = await fixture.Open();
        var old = ring.Current.Refresh.Number;
        fixture.Time.Advance(TimeSpan.FromDays(90));
        await fixture.Database.Execute(
            InsertSession,
            Ct,
            ("id", fixture.Random.NewId()),
            ("secret", new byte[16]),
            ("key", old),
            ("until", fixture.Time.Now() + TimeSpan.FromDays(30).Milliseconds()));
        await ring.Maintain(Ct);
        Assert.NotEqual(old, ring.Current.Refresh.Number);

        fixture.Time.Advance(TimeSpan.FromDays(29));
        await ring.Maintain(Ct);
        Assert.True(ring.Current.TryGetRefresh(old, out _));

        fixture.Time.Advance(TimeSpan.FromDays(1));
        await ring.Maintain(Ct);
        Assert.False(ring.Current.TryGetRefresh(old, out _));
    }

    [Theory]
    [BothEngines]
    public async Task An_operators_rotation_waits_for_the_hour_unless_it_is_an_emergency(Engine engine)
    {
        await using var fixture = await KeyFixture.Create(engine);
        var ring = await fixture.Open();
        fixture.Time.Advance(TimeSpan.FromMinutes(59));

        var early = Assert.IsType<Rotation.TooEarly>(await ring.Rotate(KeyUse.Signing, now: false, Ct));
        Assert.Equal(fixture.Time.Now() + 60_000, early.PossibleFrom);
        Assert.Equal(1, ring.Current.Signing.Number);

        Assert.Equal(new Rotation.Rotated(1, 2, 6), await ring.Rotate(KeyUse.Signing, now: true, Ct));
        Assert.Equal(2, ring.Current.Signing.Number);

        fixture.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(new Rotation.Rotated(2, 6, 7), await ring.Rotate(KeyUse.Signing, now: false, Ct));
        Assert.Equal(new Rotation.Rotated(3, 4, 8), await ring.Rotate(KeyUse.Refresh, now: false, Ct));
        await Assert.ThrowsAsync<ArgumentException>(() => ring.Rotate(KeyUse.Secret, now: true, Ct));
    }

    [Fact]
    [Trait("Requirement", "G6")]
    public async Task Only_a_retired_key_can_be_discarded()
    {
        await using var fixture = await KeyFixture.Create();
        var ring = await fixture.Open();
        var leaked = ring.Current.Signing;
        Assert.False(await ring.Discard(leaked.Number, Ct));

        await ring.Rotate(KeyUse.Signing, now: true, Ct);
        Assert.True(await ring.Discard(leaked.Number, Ct));

        Assert.False(ring.Current.Trusted.ContainsKey(leaked.Kid));
    }

    private static string Kid(KeyRing ring, KeyState state) =>
        ring.List().Single(key => key.Use == KeyUse.Signing && key.State == state).Kid;

    private static string Jwks(KeyRing ring) => Encoding.UTF8.GetString(ring.Current.Jwks.Span);
}
