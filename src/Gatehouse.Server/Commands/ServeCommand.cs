using System.CommandLine;
using Gatehouse.Delivery;
using Gatehouse.Http;
using Gatehouse.Http.Surfaces.Dev;
using Gatehouse.Passwords;
using Gatehouse.Projection;
using Gatehouse.Server.Demo;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Gatehouse.Server.Commands;

/// <summary><c>gatehouse serve</c>: the server itself.</summary>
internal static partial class ServeCommand
{
    // The largest body any JSON surface takes.
    private const long MaxBody = 64 * 1024;

    public static Command Create(CommandLine line)
    {
        var command = new Command("serve", "Run the server until it is told to stop.");
        command.SetAction((_, ct) => CommandLine.Run(() => Serve(line, TimeProvider.System, ct)));
        return command;
    }

    private static async Task<int> Serve(CommandLine line, TimeProvider time, CancellationToken ct)
    {
        await using var app = await Build(line.Configuration, line.IsDevelopment, time, ct);
        try
        {
            await app.StartAsync(ct);
        }
        catch
        {
            // What did start is told to stop, or it would report its end as a failure of its own.
            await app.StopAsync(CancellationToken.None);
            throw;
        }

        var options = app.Services.GetRequiredService<ServerOptions>();
        var token = options.IsInternalTokenMade ? $", service token {options.InternalToken}" : "";
        line.Say($"Gatehouse is ready: {options.Issuer} (internal listener {options.Internal.Address}:{options.InternalPort}{token})");
        await app.WaitForShutdownAsync(ct);
        return 0;
    }

    /// <summary>Everything up to the moment of listening; tests start from here too.</summary>
    internal static async Task<WebApplication> Build(
        IConfiguration configuration, bool isDevelopment, TimeProvider time, CancellationToken ct)
    {
        var options = ServerOptions.Read(configuration, isDevelopment);
        var foundation = await Composition.Open(options, time, ct);

        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            EnvironmentName = isDevelopment ? Environments.Development : Environments.Production,
        });
        builder.Configuration.AddConfiguration(configuration);
        builder.Logging.ClearProviders().AddJsonConsole()
            .AddFilter("Microsoft", LogLevel.Warning)
            // The host logs a failed start with its stack trace as an error; the command line says the same in one line.
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical)
            // While this may log at all, every request gets an Activity and a log scope that nobody reads; what it has to say at
            // Warning or above is a failed start again. Who listens for traces gets them regardless.
            .AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxBody;
            options.Internal.Listen(kestrel, options.InternalPort);
            if (isDevelopment)
            {
                kestrel.ListenLocalhost(options.Port);
            }
            else
            {
                kestrel.ListenAnyIP(options.Port);
            }
        });

        // The store is registered from outside, so the container will not close it; the foundation does, last.
        builder.Services
            .AddSingleton(options)
            .AddSingleton(_ => foundation)
            .AddGatehouse(options, foundation, time)
            .AddGatehouseHttp(options.Http);
        AddBackgroundWork(builder.Services, foundation);
        AddMail(builder.Services, options);

        var app = builder.Build();
        if (app.Services.GetRequiredService<PasswordHashing>().Algorithm is not "argon2id" and var algorithm)
        {
            LogFallbackHash(app.Logger, algorithm);
        }

        app.Services.GetRequiredService<Foundation>();
        app.UseGatehouseHttp();
        app.MapGatehouse();
        if (isDevelopment)
        {
            app.MapDevInbox(app.Services.GetRequiredService<DevInbox>());
            await ActivatorUtilities.CreateInstance<DemoData>(app.Services).Add(ct);
        }

        return app;
    }

    private static void AddBackgroundWork(IServiceCollection services, Foundation foundation)
    {
        services
            .AddHostedService<FeedFollower>()
            .AddHostedService(s => s.GetRequiredService<FeedWakeUp>())
            .AddHostedService<OutboxWorker>()
            .AddHostedService<Housekeeping>();
        if (foundation.Feed is not null)
        {
            services.AddHostedService(s => s.GetRequiredService<ProjectionRepairer>());
        }
    }

    private static void AddMail(IServiceCollection services, ServerOptions options)
    {
        if (!options.IsDevelopment || options.Mail.Host.Length > 0)
        {
            services.AddSingleton<IMailSender>(s => new SmtpMailSender(options.Mail, s.GetRequiredService<TimeProvider>()));
        }

        if (options.IsDevelopment)
        {
            services.AddSingleton<DevInbox>();
            services.AddSingleton<ISmsSender>(s => s.GetRequiredService<DevInbox>());
            services.TryAddSingleton<IMailSender>(s => s.GetRequiredService<DevInbox>());
        }
    }

    [LoggerMessage(1001, LogLevel.Warning, "libargon2 is not installed (Debian: libargon2-1); passwords are hashed with {Algorithm} until it is.")]
    private static partial void LogFallbackHash(ILogger logger, string algorithm);
}
