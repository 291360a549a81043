using System.Globalization;
using Gatehouse.Server;
using Gatehouse.Sessions;
using Gatehouse.Storage;
using Gatehouse.Tenants;
using Gatehouse.Testing;
using Gatehouse.Users;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Gatehouse.Bench.Scenarios;

/// <summary>
/// A database as a server of some age would have it: people in a tenant, and sessions of many others. The same steps on both engines,
/// through the product's own use cases; only the many sessions are written by one statement.
/// </summary>
internal sealed class Deployment : IDisposable
{
    public const int People = 64;
    public const int Sessions = 10_000;
    private const int Portion = 200_000;

    public const string Password = "correct horse battery staple";

    private static readonly Sql AllSessions = new("SELECT session_id, refresh_secret FROM sessions WHERE device_name = 'bench'");

    // Two in a hundred pages' worth of rows, from all over the table.
    private static readonly Sql SomeSessions =
        new("SELECT session_id, refresh_secret FROM sessions TABLESAMPLE BERNOULLI (2) WHERE device_name = 'bench'");

    private Deployment(Engine engine, string folder, string? postgres)
    {
        Engine = engine;
        Folder = folder;
        Postgres = postgres;
    }

    public Engine Engine { get; }

    public string Folder { get; }

    public string? Postgres { get; }

    public string File => Path.Combine(Folder, "gatehouse.db");

    /// <summary>Refresh tokens of the many sessions, in no order.</summary>
    public IReadOnlyList<string> RefreshTokens { get; private set; } = [];

    /// <summary>Somebody who reads; each keeps the sessions they have.</summary>
    public static string Reader(int number) => $"reader.{number}@example.com";

    /// <summary>Somebody who does nothing but sign in.</summary>
    public static string Arriving(int number) => $"arriving.{number}@example.com";

    public static async Task<Deployment> Create(Engine engine, PostgresServer? cluster, int sessions = Sessions)
    {
        var folder = Directory.CreateTempSubdirectory("gatehouse-bench-").FullName;
        var deployment = new Deployment(
            engine, folder, engine == Engine.Postgres ? (await cluster!.CreateDatabase()).Replace(";Maximum Pool Size=20", "", StringComparison.Ordinal) : null);
        await deployment.Fill(sessions);
        if (engine == Engine.Postgres)
            await cluster!.Admin("CHECKPOINT");
        return deployment;
    }

    /// <summary>So many more live sessions of one user.</summary>
    public Task<int> AddSessions(Database database, int count, Guid user) => database.Execute(
        Insert(Engine, count, ofOneUser: true),
        default,
        ("now", TimeProvider.System.Now()),
        ("tenant", Guid.Empty),
        ("key", 1),
        ("user", user));

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private async Task Fill(int sessions)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["GATEHOUSE_DATA"] = Folder,
            ["GATEHOUSE_POSTGRES"] = Postgres,
        }).Build();
        var options = ServerOptions.Read(configuration, isDevelopment: false, forServer: false);
        await using var foundation = await Composition.Open(options, TimeProvider.System, CancellationToken.None);
        await using var services = new ServiceCollection().AddGatehouse(options, foundation, TimeProvider.System).BuildServiceProvider();
        var addUser = services.GetRequiredService<AddUser>();
        var roles = new Dictionary<Guid, string>();
        foreach (var email in Enumerable.Range(0, People).SelectMany(n => new[] { Reader(n), Arriving(n) }))
        {
            var added = await addUser.Add(
                new NewUser(email, Password, "Jordan", "Example") { Department = "Engineering" }, Actor.System, Origin.CommandLine, default);
            roles.Add(((AddUserOutcome.Added)added).User.UserId, Role.Creator);
        }

        var tenant = await services.GetRequiredService<AddTenant>().Add(
            new Tenant(Guid.Empty, "acme", "Acme Corporation", "acme.example.com", null, "#1890ff", "ENTERPRISE", "America/New_York"), roles, default);
        var key = foundation.Keys.Current.Refresh;
        // In portions, since the product gives up on a statement that takes longer than ten seconds.
        for (var from = 1; from <= sessions; from += Portion)
        {
            await foundation.Database.Execute(
                Insert(Engine, Math.Min(Portion, sessions - from + 1), from),
                default,
                ("now", TimeProvider.System.Now()), ("tenant", tenant!.TenantId), ("key", key.Number));
        }

        if (Postgres is not null)
        {
            // What autovacuum would have done by then; otherwise it does it in the middle of a round.
            await using var connection = new NpgsqlConnection(Postgres);
            await connection.OpenAsync();
            await using var vacuum = new NpgsqlCommand("VACUUM (FREEZE, ANALYZE) sessions", connection) { CommandTimeout = 0 };
            await vacuum.ExecuteNonQueryAsync();
        }

        var rows = await foundation.Database.Query(
            sessions > 100_000 ? SomeSessions : AllSessions, row => (Id: row.Id(0), Secret: row.Bytes(1)), default);
        var tokens = rows.Select(row => RefreshToken.Write(RefreshTokenKind.Direct, key, row.Id, generation: 0, row.Secret)).ToList();
        Floors.Shuffling.Shuffle(tokens);
        RefreshTokens = tokens;
    }

    private static Sql Insert(Engine engine, int sessions, int from = 1, bool ofOneUser = false)
    {
        var (first, last) = (from.ToString(CultureInfo.InvariantCulture), (from + sessions - 1).ToString(CultureInfo.InvariantCulture));

        // Ids rise with time, as real ones do (UUIDv7).
        var (series, id, bytes) = engine == Engine.Postgres
            ? ($"generate_series({first}, {last}) AS series (n)",
                $"(lpad(to_hex(1700000000000 + n), 12, '0') || '70008' || substr(md5({(ofOneUser ? "random()" : "n")}::text), 1, 15))::uuid",
                "decode(md5(random()::text), 'hex')")
            : ($"(WITH RECURSIVE series (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM series WHERE n < {last}) SELECT n FROM series)",
                "randomblob(16)",
                "randomblob(16)");
        var user = ofOneUser ? "@user" : engine == Engine.Postgres ? "gen_random_uuid()" : "randomblob(16)";
        return new Sql($"""
            INSERT INTO sessions (
                session_id, kind, session_user_id, session_tenant_id, client_id, dpop_jkt, parent_id, session_status, version,
                published_version, roles, permission_version, scope, amr, auth_time, secret_hash, refresh_secret, refresh_key, generation,
                rotated_at, refresh_tat, retry_hash, idle_ttl, idle_until, absolute_until, session_created_at, last_accessed_at,
                revoked_at, reason_code, revoked_by, method, device_name, ip, ip_prefix, user_agent)
            SELECT
                {id}, 'browser', {user}, @tenant, '', '', NULL, 'active', @now,
                @now, 'CREATOR', @now, 'openid profile email', 'pwd', @now, '', {bytes}, @key, 0,
                @now, 0, '', 1209600000, @now + 1209600000, @now + 2592000000, @now, @now,
                0, '', '', 'password', 'bench', '203.0.113.7', '203.0.113.7', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0'
            FROM {series}
            """);
    }
}
