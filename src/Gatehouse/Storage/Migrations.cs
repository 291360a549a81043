using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Gatehouse.Storage;

/// <summary>One numbered step of the schema.</summary>
internal sealed record Migration(int Number, string Name, string Script)
{
    public string Checksum { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Script)));
}

/// <summary>
/// The numbered scripts in <c>Storage/Schema</c>. A step is <c>0001_name.sql</c> for both engines, or a pair
/// <c>0001_name.sqlite.sql</c> and <c>0001_name.postgres.sql</c> where they must differ. Steps only go forward and only add
/// (expand/contract), so a process one release older keeps working on the newer schema.
/// </summary>
public static partial class Migrations
{
    internal const string History = """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            migration_number integer PRIMARY KEY,
            migration_name text NOT NULL,
            migration_checksum text NOT NULL,
            migration_applied_at bigint NOT NULL)
        """;

    internal static readonly Sql Applied =
        new("SELECT migration_number, migration_checksum FROM schema_migrations ORDER BY migration_number");

    internal static readonly Sql Record = new("""
        INSERT INTO schema_migrations (migration_number, migration_name, migration_checksum, migration_applied_at)
        VALUES (@number, @name, @checksum, @now)
        """);

    /// <summary>Applies what is missing, and returns the names of the steps applied.</summary>
    public static async Task<IReadOnlyList<string>> Apply(Database database, TimeProvider time, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(time);
        var suffix = database is SqliteDatabase ? "sqlite" : "postgres";
        var applied = await database.Migrate(Load(suffix), time.Now(), ct);
        return [.. applied.Select(m => m.Name)];
    }

    /// <summary>The steps that the history lacks; a step whose text changed after it was applied stops the start.</summary>
    internal static IReadOnlyList<Migration> Missing(IReadOnlyList<Migration> all, IReadOnlyList<(int Number, string Checksum)> history)
    {
        var known = history.ToDictionary(h => h.Number, h => h.Checksum);
        var changed = all.FirstOrDefault(m => known.TryGetValue(m.Number, out var sum) && !string.Equals(sum, m.Checksum, StringComparison.Ordinal));
        return changed is null
            ? [.. all.Where(m => !known.ContainsKey(m.Number))]
            : throw new InvalidOperationException(
                $"Migration {changed.Name} was applied to this database with another text. Use the release that made the database, or restore a backup.");
    }

    private static List<Migration> Load(string engine)
    {
        var assembly = Assembly.GetExecutingAssembly();
        var migrations = new List<Migration>();
        foreach (var resource in assembly.GetManifestResourceNames().Order(StringComparer.Ordinal))
        {
            if (FileName().Match(resource) is not { Success: true } match || (match.Groups["engine"].Success && match.Groups["engine"].Value != engine))
            {
                continue;
            }

            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!, Encoding.UTF8);
            migrations.Add(new Migration(
                int.Parse(match.Groups["number"].ValueSpan, System.Globalization.CultureInfo.InvariantCulture),
                $"{match.Groups["number"].Value}_{match.Groups["name"].Value}",
                reader.ReadToEnd().ReplaceLineEndings("\n")));
        }

        return migrations;
    }

    [GeneratedRegex(@"^Schema/(?<number>\d{4})_(?<name>[a-z_]+)(\.(?<engine>sqlite|postgres))?\.sql$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex FileName();
}
