using System.CommandLine;
using System.Globalization;
using Gatehouse.Projection;

namespace Gatehouse.Server.Commands;

/// <summary><c>gatehouse projection rebuild</c>: publishes every session again.</summary>
internal static class ProjectionCommand
{
    public static Command Create(CommandLine line)
    {
        var rebuild = new Command("rebuild", "Publish every session again, as after the feed was lost or a backup was restored.");
        rebuild.SetAction((parsed, ct) => line.WithStore(
            async services =>
            {
                var repairer = services.GetRequiredService<ProjectionRepairer>();
                var count = await line.WithProgress(parsed, "sessions published", progress => repairer.Rebuild(progress, ct));
                var text = count.ToString(CultureInfo.InvariantCulture);
                line.Done(parsed, $"Sessions published: {text}.", ("sessions", text));
                return 0;
            },
            ct));
        return new Command("projection", "What gateways are told about sessions.") { rebuild };
    }
}
