using System.CommandLine;

namespace Gatehouse.Server.Commands;

/// <summary><c>gatehouse migrate</c>: brings the schema up to date; <c>serve</c> does the same when it starts.</summary>
internal static class MigrateCommand
{
    public static Command Create(CommandLine line)
    {
        var command = new Command("migrate", "Bring the database's schema up to date.");
        command.SetAction((parsed, ct) => line.WithStore(
            services =>
            {
                var foundation = services.GetRequiredService<Foundation>();
                line.Done(
                    parsed,
                    foundation.Migrations.Count == 0
                        ? $"The {foundation.Database.Engine} schema is up to date."
                        : $"Applied to {foundation.Database.Engine}: {string.Join(", ", foundation.Migrations)}.",
                    ("engine", foundation.Database.Engine),
                    ("applied", string.Join(' ', foundation.Migrations)));
                return Task.FromResult(0);
            },
            ct));
        return command;
    }
}
