using System.Globalization;
using Gatehouse.Audit;
using Gatehouse.Storage;

namespace Gatehouse.Sessions;

/// <summary>The limit in force: how many sessions a user may have, and what a sign-in over it does.</summary>
public sealed record SessionLimitSetting(int Limit, SessionLimitPolicy Policy);

/// <summary>Reads and changes the session limit while the product runs; each sign-in looks at it anew.</summary>
public sealed class SessionLimit(Database database, AuditLog audit, SessionOptions options)
{
    internal static readonly Sql ReadSettings =
        new("SELECT setting_name, setting_value FROM settings WHERE setting_name IN ('session_limit', 'session_limit_policy')");

    private static readonly Sql Write = new("""
        INSERT INTO settings (setting_name, setting_value) VALUES (@name, @value)
        ON CONFLICT (setting_name) DO UPDATE SET setting_value = @value
        """);

    /// <summary>The limit in force.</summary>
    public async Task<SessionLimitSetting> Read(CancellationToken ct) => From(await database.Query(ReadSettings, ReadSetting, ct), options);

    /// <summary>Sets the limit for all later sign-ins; sessions that are open stay open.</summary>
    public Task Set(SessionLimitSetting setting, string reason, Actor actor, Origin origin, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(setting);
        var batch = new Batch()
            .Add(Write, ("name", "session_limit"), ("value", setting.Limit.ToString(CultureInfo.InvariantCulture)))
            .Add(Write, ("name", "session_limit_policy"), ("value", setting.Policy.ToString()));
        audit.Add(batch, new AuditEvent("config.session_limit", "success", actor, origin) { Details = $"{reason}: {setting.Limit} {setting.Policy}" });
        return database.Run(batch, ct);
    }

    internal static KeyValuePair<string, string> ReadSetting(Row row) => new(row.Text(0), row.Text(1));

    internal static SessionLimitSetting From(IEnumerable<KeyValuePair<string, string>> settings, SessionOptions options)
    {
        var (limit, policy) = (options.Limit, options.LimitPolicy);
        foreach (var (name, value) in settings)
        {
            if (name == "session_limit" && int.TryParse(value, CultureInfo.InvariantCulture, out var number))
            {
                limit = number;
            }
            else if (name == "session_limit_policy" && Enum.TryParse<SessionLimitPolicy>(value, out var named))
            {
                policy = named;
            }
        }

        return new(limit, policy);
    }
}
