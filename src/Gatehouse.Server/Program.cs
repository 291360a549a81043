using System.CommandLine;
using Gatehouse.Server.Commands;

var line = CommandLine.FromEnvironment();
var gatehouse = new RootCommand("Gatehouse: sign-in and sessions for web platforms.")
{
    ServeCommand.Create(line),
    MigrateCommand.Create(line),
    UserCommand.Create(line),
    SessionCommand.Create(line),
    KeyCommand.Create(line),
    TokenCommand.Create(line),
    AuditCommand.Create(line),
    ProjectionCommand.Create(line),
    line.Json,
};

// Without this the parser ends the process two seconds after SIGTERM, whatever is in flight; the host waits for requests instead.
return await gatehouse.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
