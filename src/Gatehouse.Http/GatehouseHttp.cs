using Gatehouse.Http.OpenApi;
using Gatehouse.Http.Surfaces.Internal;
using Gatehouse.Http.Surfaces.OAuth;
using Gatehouse.Http.Surfaces.Portal;
using Gatehouse.Http.Surfaces.Public;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Gatehouse.Http;

/// <summary>The wire as a whole: what it needs, what every request passes, and where each surface begins.</summary>
public static class GatehouseHttp
{
    /// <summary>Registers the surfaces.</summary>
    public static IServiceCollection AddGatehouseHttp(this IServiceCollection services, HttpOptions options) => OpenApiRoutes.Add(services)
        .AddSingleton(options)
        .AddSingleton<Bearer>()
        .AddSingleton<IdempotentWrites>()
        .AddSingleton<AccountViews>()
        .AddSingleton<PortalAuth>()
        .AddSingleton<PortalSessions>()
        .AddSingleton<PortalUi>()
        .AddSingleton<OAuthKeys>()
        .AddSingleton<EmailCodes>()
        .AddSingleton<ServiceCaller>()
        .AddSingleton<InternalSessions>()
        .AddSingleton<InternalBlocks>()
        .AddSingleton<InternalAudit>()
        .AddSingleton<Metrics>()
        .AddSingleton<Health>()
        // Routing would complain about requests that rightly passed by the CORS middleware.
        .Configure<RouteOptions>(routing => routing.SuppressCheckForUnhandledSecurityMetadata = true)
        .AddCors(cors => Cors.Configure(cors, options));

    /// <summary>What every request passes before it reaches a route; the internal listener has routes of its own.</summary>
    public static IApplicationBuilder UseGatehouseHttp(this IApplicationBuilder app)
    {
        var port = app.ApplicationServices.GetRequiredService<HttpOptions>().InternalPort;
        return app
            .UseMiddleware<FrontDoor>()
            .MapWhen(
                http => http.Connection.LocalPort == port,
                inside => inside.Use(GuardInternal).UseRouting().UseEndpoints(MapInternal))
            .UseRouting()
            // Without an origin there is nothing to decide, and the middleware would open a scope of services to find that out.
            .UseWhen(http => http.Request.Headers.Origin.Count > 0, pages => pages.UseCors());
    }

    private static Task GuardInternal(HttpContext http, RequestDelegate next) => IsForAnybody(http.Request.Path)
        ? next(http)
        : http.RequestServices.GetRequiredService<ServiceCaller>().Guard(http, next);

    private static bool IsForAnybody(PathString path) =>
        path.StartsWithSegments("/health", StringComparison.Ordinal) || path.Equals("/metrics", StringComparison.Ordinal);

    /// <summary>Maps every surface of the internal listener.</summary>
    private static void MapInternal(IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        services.GetRequiredService<Health>().Map(routes);
        services.GetRequiredService<Metrics>().Map(routes);
        var trusted = routes.MapGroup("/api/v1/internal").ExcludeFromDescription();
        services.GetRequiredService<InternalSessions>().Map(trusted);
        services.GetRequiredService<InternalBlocks>().Map(trusted);
        services.GetRequiredService<InternalAudit>().Map(trusted);
    }

    /// <summary>Maps every surface of the public listener.</summary>
    public static void MapGatehouse(this IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        services.GetRequiredService<Health>().Map(routes);
        services.GetRequiredService<PortalAuth>().Map(routes, Tag.Portal, "/api/v1/auth");
        services.GetRequiredService<PortalAuth>().Map(routes, Tag.V2, "/v2/auth");
        services.GetRequiredService<PortalSessions>().Map(routes);
        services.GetRequiredService<PortalUi>().Map(routes);
        services.GetRequiredService<OAuthKeys>().Map(routes);
        services.GetRequiredService<EmailCodes>().Map(routes);
        services.GetRequiredService<OpenApiRoutes>().Map(routes);
        routes.MapDocs();
    }
}
