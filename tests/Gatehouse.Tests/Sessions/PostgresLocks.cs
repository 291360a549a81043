using Gatehouse.Storage;
using Xunit;

namespace Gatehouse.Tests.Sessions;

/// <summary>Sees who waits for whom.</summary>
internal static class PostgresLocks
{
    private static readonly Sql Waiting =
        new("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'");

    /// <summary>Returns once so many statements of this database wait for locks.</summary>
    public static async Task Wait(Database db, int count = 1)
    {
        while (await db.QueryOne(Waiting, row => row.Long(0), TestContext.Current.CancellationToken) < count)
        {
        }
    }
}
