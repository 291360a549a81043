using Gatehouse.Audit;
using Gatehouse.Bootstrap;
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
        Directory.CreateDirectory(options.DataFolder);
        var database = Database.Open(options.Postgres, Path.Combine(options.DataFolder, "gatehouse.db"));
        try
        {
            var migrations = await Migrations.Apply(database, time, ct);
            var random = new Randomness(time);
            var mayCreate = !await KeyRing.HasKeys(database, ct);
            var master = await MasterKey.Load(options.DataFolder, options.MasterKey, mayCreate, random, time, ct);
            var keys = await KeyRing.Open(database, master, random, time, options.Keys, ct);
            return new Foundation(database, keys, random, migrations);
        }
        catch
        {
            await database.DisposeAsync();
            throw;
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
        .AddSingleton(options.Passwords)
        .AddSingleton(options.Tokens)
        .AddSingleton(_ => UiConfig.Load(options.UiFile))
        .AddSingleton<Throttle>()
        .AddSingleton<OnceStore>()
        .AddSingleton<AuditLog>()
        .AddSingleton<ReadAudit>()
        .AddSingleton<Outbox>()
        .AddSingleton<PasswordHashing>()
        .AddSingleton<PasswordSignIn>()
        .AddSingleton<AccessTokenSigner>()
        .AddSingleton<AccessTokenVerifier>()
        .AddSingleton<AccessTokenIssuer>()
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
internal sealed record Foundation(Database Database, KeyRing Keys, Randomness Random, IReadOnlyList<string> Migrations) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Database.DisposeAsync();
}
