using System.Diagnostics;
using Gatehouse.Bench.Load;
using Npgsql;
using NpgsqlTypes;

namespace Gatehouse.Bench.Floors;

/// <summary>
/// What PostgreSQL gives through Npgsql when nothing else is done: a prepared <c>UPDATE … RETURNING</c> by primary key, one
/// connection per caller, on a table that is the product's own, with as many rows. The client shares the core, as the server does.
/// </summary>
internal sealed class PostgresFloor(string connectionString) : IAsyncDisposable
{
    /// <summary>Changes what a refresh changes, and returns a few columns.</summary>
    public const string Statement = """
        UPDATE sessions SET generation = generation + 1, rotated_at = @now, refresh_tat = @now, last_accessed_at = @now,
            idle_until = @now + idle_ttl
        WHERE session_id = @id
        RETURNING session_user_id, session_status, version, generation, refresh_tat
        """;

    private readonly NpgsqlDataSource source = NpgsqlDataSource.Create(connectionString + ";Maximum Pool Size=100;No Reset On Close=true");
    private readonly List<Caller> callers = [];
    private Guid[] ids = [];

    public async Task<Sample> Run(int connections, TimeSpan window)
    {
        if (ids.Length == 0)
            ids = await ReadIds();
        while (callers.Count < connections)
            callers.Add(await Caller.Connect(source, ids, callers.Count));

        var start = Stopwatch.GetTimestamp();
        var all = await Task.WhenAll(callers.Take(connections).Select(c => c.Run(start, window)));
        return Sample.Of([.. all.SelectMany(l => l)], Stopwatch.GetElapsedTime(start), errors: 0);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var caller in callers)
            await caller.DisposeAsync();
        await source.DisposeAsync();
    }

    private async Task<Guid[]> ReadIds()
    {
        await using var command = source.CreateCommand("SELECT session_id FROM sessions LIMIT 100000");
        await using var reader = await command.ExecuteReaderAsync();
        var read = new List<Guid>();
        while (await reader.ReadAsync())
            read.Add(reader.GetGuid(0));
        read.Shuffle();
        return [.. read];
    }

    private sealed class Caller(NpgsqlConnection connection, NpgsqlCommand command, Guid[] ids, int number) : IAsyncDisposable
    {
        private readonly NpgsqlParameter<long> now = (NpgsqlParameter<long>)command.Parameters[0];
        private readonly NpgsqlParameter<Guid> id = (NpgsqlParameter<Guid>)command.Parameters[1];
        private int turn = number * 149;

        public static async Task<Caller> Connect(NpgsqlDataSource source, Guid[] ids, int number)
        {
            var connection = await source.OpenConnectionAsync();
            var text = Statement.Replace("@now", "$1", StringComparison.Ordinal).Replace("@id", "$2", StringComparison.Ordinal);
            var command = new NpgsqlCommand(text, connection)
            {
                Parameters =
                {
                    new NpgsqlParameter<long> { NpgsqlDbType = NpgsqlDbType.Bigint },
                    new NpgsqlParameter<Guid> { NpgsqlDbType = NpgsqlDbType.Uuid },
                },
            };
            await command.PrepareAsync();
            return new Caller(connection, command, ids, number);
        }

        public async Task<List<long>> Run(long start, TimeSpan window)
        {
            var latencies = new List<long>();
            while (Stopwatch.GetElapsedTime(start) < window)
            {
                var began = Stopwatch.GetTimestamp();
                now.TypedValue = TimeProvider.System.Now();
                id.TypedValue = ids[turn++ % ids.Length];
                await using (var reader = await command.ExecuteReaderAsync())
                {
                    if (!await reader.ReadAsync() || reader.GetInt64(3) < 1)
                        throw new InvalidOperationException("The update found no row.");
                }

                latencies.Add(Stopwatch.GetTimestamp() - began);
            }

            return latencies;
        }

        public async ValueTask DisposeAsync()
        {
            await command.DisposeAsync();
            await connection.DisposeAsync();
        }
    }
}
