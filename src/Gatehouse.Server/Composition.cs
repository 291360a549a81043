using Gatehouse.Audit;
using Gatehouse.Bootstrap;
using Gatehouse.Challenges;
using Gatehouse.Delivery;
using Gatehouse.Idempotency;
using Gatehouse.Keys;
using Gatehouse.Passwords;
using Gatehouse.Projection;
using Gatehouse.Sessions;
using Gatehouse.Storage;
using Gatehouse.Tenants;
using Gatehouse.Throttling;
using Gatehouse.Tokens;
using Gatehouse.Users;

namespace Gatehouse.Server;

/// <summary>Puts the features together, for the server and for the command line alike.</summary>
internal static class Composition
{
    /// <summary>Opens the store, brings its schema up to date and opens the keys.</summary>
    public static async Task<Foundation> Open(ServerOptions options, TimeProvider time, CancellationToken ct)
    {
        MakePrivateFolder(options.DataFolder);
        var database = OpenDatabase(options.Postgres, Path.Combine(options.DataFolder, "gatehouse.db"), "GATEHOUSE_POSTGRES");
        try
        {
            var migrations = await Migrations.Apply(database, time, ct);
            var random = new Randomness(time);
            var mayCreate = !await KeyRing.HasKeys(database, ct);
            var master = await MasterKey.Load(options.DataFolder, options.MasterKey, mayCreate, random, time, ct);
            var keys = await KeyRing.Open(database, master, random, time, options.Keys, ct);
            var feed = await OpenFeed(options, time, ct);
            return new Foundation(database, feed, keys, random, migrations);
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    /// <summary>The separate database of the session feed; null when the feed is in the store.</summary>
    private static async Task<Database?> OpenFeed(ServerOptions options, TimeProvider time, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(options.Projection.ConnectionString))
        {
            return null;
        }

        var feed = OpenDatabase(options.Projection.ConnectionString, "", "Gatehouse:Projection:ConnectionString");
        try
        {
            await Migrations.Apply(feed, time, ct);
            return feed;
        }
        catch
        {
            await feed.DisposeAsync();
            throw;
        }
    }

    // What is in there (password hashes, addresses, session secrets, the master key) is nobody else's business.
    private static void MakePrivateFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private static Database OpenDatabase(string? connectionString, string sqliteFile, string setting)
    {
        try
        {
            return Database.Open(connectionString, sqliteFile);
        }
        catch (ArgumentException)
        {
            // The driver's own words may quote the text, and the text may hold a password.
            throw new ConfigurationException($"{setting} must be a connection string such as Host=…;Database=…;Username=….");
        }
    }

    /// <summary>Registers every use case.</summary>
    public static IServiceCollection AddGatehouse(
        this IServiceCollection services, ServerOptions options, Foundation foundation, TimeProvider time) => services
        .AddSingleton(time)
        .AddSingleton(foundation.Random)
        .AddSingleton(foundation.Database)
        .AddSingleton(foundation.Keys)
        .AddSingleton(options.Sessions)
        .AddSingleton(options.RateLimits)
        .AddSingleton(options.Challenges)
        .AddSingleton(options.Projection)
        .AddSingleton<FeedView>()
        .AddSingleton<FeedSignal>()
        .AddSingleton<FeedWakeUp>()
        .AddSingleton(options.Passwords)
        .AddSingleton(options.Tokens)
        .AddSingleton(_ => UiConfig.Load(options.UiFile))
        .AddSingleton<Throttle>()
        .AddSingleton<IdempotencyStore>()
        .AddSingleton<AuditLog>()
        .AddSingleton<ReadAudit>()
        .AddSingleton<Outbox>()
        .AddSingleton<PasswordHashing>()
        .AddSingleton<PasswordSignIn>()
        .AddSingleton<AccessTokenSigner>()
        .AddSingleton<AccessTokenVerifier>()
        .AddSingleton<AccessTokenIssuer>()
        .AddSingleton<ISessionProjection>(foundation.Feed is null
            ? new StoreProjection(foundation.Database)
            : new SeparateProjection(foundation.Database, foundation.Feed, time))
        .AddSingleton<SessionPublisher>()
        .AddSingleton<ProjectionRepairer>()
        .AddSingleton<ChallengeCodes>()
        .AddSingleton<ChallengeDelivery>()
        .AddSingleton(s => s.GetRequiredService<ChallengeDelivery>().Hooks)
        .AddSingleton<SendCode>()
        .AddSingleton<ConfirmEmailCode>()
        .AddSingleton<SessionTokens>()
        .AddSingleton<SessionLimit>()
        .AddSingleton<InspectToken>()
        .AddSingleton<SessionStore>()
        .AddSingleton<SessionCache>()
        .AddSingleton<OpenSession>()
        .AddSingleton<RefreshSession>()
        .AddSingleton<RevokeSessions>()
        .AddSingleton<SignOut>()
        .AddSingleton<BearerCheck>()
        .AddSingleton<SessionFeed>()
        .AddSingleton<UserStore>()
        .AddSingleton<AddUser>()
        .AddSingleton<BlockUser>()
        .AddSingleton<DeleteUser>()
        .AddSingleton<ChangePreferences>()
        .AddSingleton<TenantStore>()
        .AddSingleton<AddTenant>()
        .AddSingleton<ReadAccount>();
}

/// <summary>What everything stands on: the store with its schema, and the opened keys.</summary>
internal sealed record Foundation(
    Database Database, Database? Feed, KeyRing Keys, Randomness Random, IReadOnlyList<string> Migrations) : IAsyncDisposable
{
    public async ValueTask DisposeAsync()
    {
        if (Feed is not null)
        {
            await Feed.DisposeAsync();
        }

        await Database.DisposeAsync();
    }
}
