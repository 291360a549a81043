using Gatehouse.Storage;

namespace Gatehouse.Users;

/// <summary>A person who may sign in.</summary>
public sealed record User(
    Guid UserId,
    long Number,
    string Email,
    bool EmailVerified,
    string FirstName,
    string LastName,
    string? Avatar,
    string? Department,
    string PasswordHash,
    string Status,
    string PlatformRole,
    long AuthEpoch,
    Preferences Preferences,
    long CreatedAt)
{
    /// <summary>The status of a user who may sign in.</summary>
    public const string Active = "active";

    /// <summary>The status of a user who is refused everywhere, and told nothing.</summary>
    public const string Blocked = "blocked";

    /// <summary>The status of the row that remains once a user was erased.</summary>
    public const string Deleted = "deleted";

    /// <summary>First and last name as one, or the address where there is none.</summary>
    public string Name => $"{FirstName} {LastName}".Trim() is { Length: > 0 } name ? name : Email;
}

/// <summary>How a user wants language, dates and times shown.</summary>
/// <param name="Locale">A BCP 47 tag: <c>en-US</c>.</param>
/// <param name="TimeZone">An IANA zone: <c>America/New_York</c>.</param>
/// <param name="DateFormat">For example <c>MM/DD/YYYY</c>.</param>
/// <param name="TimeFormat"><c>12h</c> or <c>24h</c>.</param>
public sealed record Preferences(string Locale, string TimeZone, string DateFormat, string TimeFormat)
{
    /// <summary>What a new user starts with.</summary>
    public static Preferences Default { get; } = new("en-US", "UTC", "MM/DD/YYYY", "12h");
}

/// <summary>Reads users.</summary>
public sealed class UserStore(Database database)
{
    internal const string Columns = """
        user_id, user_number, email, email_verified, first_name, last_name, avatar, department, password_hash, user_status,
        platform_role, auth_epoch, locale, time_zone, date_format, time_format, user_created_at
        """;

    internal const int ColumnCount = 17;

    private static readonly Sql ById = new($"SELECT {Columns} FROM users WHERE user_id = @id");
    /// <summary>The condition that finds an address by its index, which leaves out users without one.</summary>
    internal const string ByEmailText = $"SELECT {Columns} FROM users WHERE email = @email AND email <> ''";

    private static readonly Sql ByEmail = new(ByEmailText);
    private static readonly Sql All = new($"SELECT {Columns} FROM users ORDER BY user_number LIMIT @limit OFFSET @skip");

    /// <summary>The user with this id.</summary>
    public Task<User?> Find(Guid userId, CancellationToken ct) => database.QueryOne(ById, Read, ct, ("id", userId));

    /// <summary>The user with this address, in any spelling (see <see cref="EmailAddress.Normalize"/>).</summary>
    public Task<User?> FindByEmail(string email, CancellationToken ct) =>
        database.QueryOne(ByEmail, Read, ct, ("email", EmailAddress.Normalize(email)));

    /// <summary>Users in the order they were made.</summary>
    public Task<IReadOnlyList<User>> List(int limit, int skip, CancellationToken ct) =>
        database.Query(All, Read, ct, ("limit", limit), ("skip", skip));

    internal static User Read(Row row) => new(
        row.Id(0),
        row.Long(1),
        row.Text(2),
        row.Flag(3),
        row.Text(4),
        row.Text(5),
        row.TextOrNull(6),
        row.TextOrNull(7),
        row.Text(8),
        row.Text(9),
        row.Text(10),
        row.Long(11),
        new Preferences(row.Text(12), row.Text(13), row.Text(14), row.Text(15)),
        row.Long(16));
}

/// <summary>E-mail addresses as keys.</summary>
public static class EmailAddress
{
    /// <summary>The longest address that can exist (RFC 5321 §4.5.3.1, less the angle brackets).</summary>
    public const int MaxLength = 254;

    /// <summary>The one spelling under which an address is stored and looked up.</summary>
    public static string Normalize(string email)
    {
        ArgumentNullException.ThrowIfNull(email);
        return email.Trim().ToLowerInvariant();
    }

    /// <summary>Whether mail could be sent there at all: one <c>@</c>, both sides present, no blanks or control characters.</summary>
    public static bool IsPlausible(string email)
    {
        ArgumentNullException.ThrowIfNull(email);
        var at = email.IndexOf('@', StringComparison.Ordinal);
        return at > 0 && at < email.Length - 1 && email.LastIndexOf('@') == at && email.Length <= MaxLength
            && !email.Any(c => char.IsWhiteSpace(c) || char.IsControl(c));
    }
}
