using Gatehouse.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Gatehouse.Projection;

/// <summary>
/// Wakes the followers of other processes before their next poll, by NOTIFY on PostgreSQL. It only saves waiting: whatever is lost here
/// is found by the poll. Notifications are sent apart from the changes and at most a hundred times a second, because one in every
/// transaction would make commits queue for each other.
/// </summary>
public sealed partial class FeedWakeUp(ISessionProjection projection, FeedSignal signal, TimeProvider time, ILogger<FeedWakeUp> logger)
    : BackgroundService
{
    private const string Listen = "LISTEN gatehouse_sessions";
    private const string Notify = "NOTIFY gatehouse_sessions";
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly FeedSignal changed = new();

    /// <summary>Something was published.</summary>
    public void Tell() => changed.Raise();

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => projection.Feed is PostgresDatabase postgres
        ? Task.WhenAll(
            KeepTrying(ct => Send(postgres.Source, ct), stoppingToken),
            KeepTrying(ct => Receive(postgres.Source, ct), stoppingToken))
        : Task.CompletedTask;

    private async Task Send(NpgsqlDataSource source, CancellationToken ct)
    {
        while (true)
        {
            await changed.Wait(ct);
            await using (var command = source.CreateCommand(Notify))
            {
                await command.ExecuteNonQueryAsync(ct);
            }

            await Task.Delay(Pause, time, ct);
        }
    }

    private async Task Receive(NpgsqlDataSource source, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        connection.Notification += (_, _) => signal.Raise();
        await using (var command = new NpgsqlCommand(Listen, connection))
        {
            await command.ExecuteNonQueryAsync(ct);
        }

        while (true)
        {
            await connection.WaitAsync(ct);
        }
    }

    private async Task KeepTrying(Func<CancellationToken, Task> run, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await run(ct);
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                LogInterrupted(e);
                await Task.Delay(Patience, time, ct);
            }
        }
    }

    [LoggerMessage(2204, LogLevel.Information, "Wake-ups of other processes are interrupted; they see changes at their next poll.")]
    private partial void LogInterrupted(Exception e);
}
