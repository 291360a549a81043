using Gatehouse.Audit;
using Gatehouse.Passwords;
using Gatehouse.Storage;

namespace Gatehouse.Users;

/// <summary>A user to be made by an operator or by the demo data.</summary>
/// <param name="Email">The address, which counts as verified.</param>
/// <param name="Password">The password; null for a user who signs in by other means.</param>
/// <param name="FirstName">May be empty.</param>
/// <param name="LastName">May be empty.</param>
public sealed record NewUser(string Email, string? Password, string FirstName, string LastName)
{
    /// <summary>Shown beside the name.</summary>
    public string? Department { get; init; }

    /// <summary>An absolute URL.</summary>
    public string? Avatar { get; init; }

    /// <summary><c>operator</c> for a platform operator; nothing else opens the operator's routes.</summary>
    public string PlatformRole { get; init; } = "";

    /// <summary>How they want to see things.</summary>
    public Preferences Preferences { get; init; } = Preferences.Default;
}

/// <summary>What came of making a user.</summary>
public abstract record AddUserOutcome
{
    /// <summary>The user exists now.</summary>
    public sealed record Added(User User) : AddUserOutcome;

    /// <summary>Somebody has this address already.</summary>
    public sealed record AddressTaken : AddUserOutcome;

    /// <summary>The address was blocked.</summary>
    public sealed record AddressBlocked : AddUserOutcome;
}

/// <summary>Makes a user.</summary>
public sealed class AddUser(Database database, PasswordHashing hashing, AuditLog audit, Randomness random, TimeProvider time)
{
    internal static readonly Sql ClaimAddress = new("""
        INSERT INTO addresses (address) VALUES (@email)
        ON CONFLICT (address) DO UPDATE SET address_blocked_at = addresses.address_blocked_at
        RETURNING address_blocked_at
        """);

    // For a sign-in that makes its user: two statements that do nothing when the address has a user or is blocked.
    internal static readonly Sql NumberIfNew = new($"""
        UPDATE counters SET counter_value = counter_value + 1
        WHERE counter_name = 'user_number' AND {MayBeMade}
        """);

    internal static readonly Sql InsertIfNew = new($"""
        INSERT INTO users ({UserStore.Columns})
        SELECT @id, counter_value, @email, 1, '', '', NULL, NULL, '', 'active', '', 0, @locale, @zone, @date, @time, @now
        FROM counters WHERE counter_name = 'user_number' AND {MayBeMade}
        """);

    private const string MayBeMade = """
        NOT EXISTS (SELECT 1 FROM users WHERE email = @email AND email <> '')
        AND NOT EXISTS (SELECT 1 FROM users WHERE user_id = @id)
        AND NOT EXISTS (SELECT 1 FROM addresses WHERE address = @email AND address_blocked_at > 0)
        """;

    private static readonly Sql IsTaken = new("SELECT user_id FROM users WHERE email = @email AND email <> ''");

    private static readonly Sql NextNumber =
        new("UPDATE counters SET counter_value = counter_value + 1 WHERE counter_name = 'user_number' RETURNING counter_value");

    private static readonly Sql Insert = new($"""
        INSERT INTO users ({UserStore.Columns})
        VALUES (
            @id, @number, @email, 1, @first, @last, @avatar, @department, @hash, 'active',
            @platform, 0, @locale, @zone, @date, @time, @now)
        RETURNING {UserStore.Columns}
        """);

    /// <summary>Makes the user, unless the address is taken or blocked.</summary>
    public async Task<AddUserOutcome> Add(NewUser wanted, Actor actor, Origin origin, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        var hash = wanted.Password is null ? "" : await hashing.Hash(wanted.Password, ct) switch
        {
            HashedPassword.Done done => done.Hash,
            _ => throw new DatabaseUnavailableException("Too many passwords wait to be hashed."),
        };
        return await database.InTransaction(tx => AddIn(tx, wanted, hash, actor, origin, ct), ct);
    }

    private async Task<AddUserOutcome> AddIn(
        Statements tx, NewUser wanted, string hash, Actor actor, Origin origin, CancellationToken ct)
    {
        var email = EmailAddress.Normalize(wanted.Email);
        var blockedAt = await tx.QueryOne(ClaimAddress, row => row.Long(0), ct, ("email", email));
        if (blockedAt != 0)
        {
            return new AddUserOutcome.AddressBlocked();
        }

        if (await tx.QueryOne(IsTaken, row => (Guid?)row.Id(0), ct, ("email", email)) is not null)
        {
            return new AddUserOutcome.AddressTaken();
        }

        var number = await tx.QueryOne(NextNumber, row => row.Long(0), ct);
        var user = await tx.QueryOne(
            Insert,
            UserStore.Read,
            ct,
            ("id", random.NewId()),
            ("number", number),
            ("email", email),
            ("first", wanted.FirstName),
            ("last", wanted.LastName),
            ("avatar", wanted.Avatar),
            ("department", wanted.Department),
            ("hash", hash),
            ("platform", wanted.PlatformRole),
            ("locale", wanted.Preferences.Locale),
            ("zone", wanted.Preferences.TimeZone),
            ("date", wanted.Preferences.DateFormat),
            ("time", wanted.Preferences.TimeFormat),
            ("now", time.Now()));
        var batch = new Batch();
        audit.Add(batch, new AuditEvent("user.added", "success", actor, origin) { UserId = user!.UserId });
        await tx.Run(batch, ct);
        return new AddUserOutcome.Added(user);
    }
}
