using System.Net;
using System.Security.Cryptography;
using Gatehouse.Challenges;
using Gatehouse.Delivery;
using Gatehouse.Http;
using Gatehouse.Keys;
using Gatehouse.Passwords;
using Gatehouse.Projection;
using Gatehouse.Throttling;
using Gatehouse.Tokens;
using SessionOptions = Gatehouse.Sessions.SessionOptions;

namespace Gatehouse.Server;

/// <summary>
/// Configuration section <c>Gatehouse</c>, and the few <c>GATEHOUSE_*</c> variables that say where things are. Anything can be
/// set by environment: <c>Gatehouse__RateLimits__Enabled=false</c>.
/// </summary>
internal sealed class ServerOptions
{
    public string Issuer { get; set; } = "";

    public string Audience { get; set; } = "";

    public string UiFile { get; set; } = "";

    public IList<string> TrustedProxies { get; } = [];

    public CorsSection Cors { get; } = new();

    public SessionOptions Sessions { get; } = new();

    public ThrottleOptions RateLimits { get; } = new();

    public ChallengeOptions Challenges { get; } = new();

    public ProjectionOptions Projection { get; } = new();

    public InternalListenerOptions Internal { get; } = new();

    public PasswordOptions Passwords { get; set; } = new();

    public KeyOptions Keys { get; set; } = new();

    public MailOptions Mail { get; } = new();

    public int VerifiedTokens { get; set; } = 65_536;

    /// <summary>The port of the public listener (<c>GATEHOUSE_PORT</c>).</summary>
    public int Port { get; private set; }

    /// <summary>The port of the internal listener, on loopback (<c>GATEHOUSE_INTERNAL_PORT</c>).</summary>
    public int InternalPort { get; private set; }

    /// <summary>What trusted services present on the internal listener (<c>GATEHOUSE_INTERNAL_TOKEN</c>).</summary>
    public string InternalToken { get; private set; } = "";

    /// <summary>Whether that token was made for this run, so that somebody has to be told.</summary>
    public bool IsInternalTokenMade { get; private set; }

    /// <summary>The folder of the database and the master key (<c>GATEHOUSE_DATA</c>).</summary>
    public string DataFolder { get; private set; } = "";

    /// <summary>A connection string to use PostgreSQL instead of SQLite (<c>GATEHOUSE_POSTGRES</c>).</summary>
    public string? Postgres { get; private set; }

    /// <summary>The master key in base64, when it is not in a file (<c>GATEHOUSE_MASTER_KEY</c>).</summary>
    public string? MasterKey { get; private set; }

    public bool IsDevelopment { get; private set; }

    public TokenOptions Tokens => new() { Issuer = Issuer, Audience = Audience, VerifiedCache = VerifiedTokens };

    public HttpOptions Http => new()
    {
        Issuer = Issuer,
        CorsOrigins = [.. Cors.Origins],
        TrustedProxies = [.. TrustedProxies.Select(ParseNetwork)],
        InternalPort = InternalPort,
        ServiceToken = InternalToken,
        RequireHttps = !IsDevelopment,
    };

    /// <summary>
    /// Reads and checks everything, so that a bad setting stops the start and says which one it is. Commands that only touch the
    /// store do not need what only a server needs.
    /// </summary>
    public static ServerOptions Read(IConfiguration configuration, bool isDevelopment, bool forServer = true)
    {
        var options = configuration.GetSection("Gatehouse").Get<ServerOptions>(binder => binder.ErrorOnUnknownConfiguration = true)
            ?? new ServerOptions();
        options.IsDevelopment = isDevelopment;
        options.Port = Number(configuration, "GATEHOUSE_PORT", 8080);
        options.InternalPort = Number(configuration, "GATEHOUSE_INTERNAL_PORT", 8081);
        options.DataFolder = configuration["GATEHOUSE_DATA"] is { Length: > 0 } folder ? folder : Path.Combine(Directory.GetCurrentDirectory(), "data");
        options.InternalToken = configuration["GATEHOUSE_INTERNAL_TOKEN"] is { Length: > 0 } token ? token
            : isDevelopment ? $"dev_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}"
            : "";
        options.IsInternalTokenMade = isDevelopment && string.IsNullOrEmpty(configuration["GATEHOUSE_INTERNAL_TOKEN"]);
        options.Postgres = configuration["GATEHOUSE_POSTGRES"];
        options.MasterKey = configuration["GATEHOUSE_MASTER_KEY"];
        if (options.Issuer.Length == 0 && isDevelopment)
        {
            options.Issuer = $"http://localhost:{options.Port}";
        }

        options.Issuer = options.Issuer.TrimEnd('/');
        if (options.Audience.Length == 0)
        {
            options.Audience = options.Issuer;
        }

        // A key stays trusted as long as the longest-lived token it signed.
        if (options.Keys.LongestToken < options.Sessions.AccessTokenLife)
        {
            options.Keys = options.Keys with { LongestToken = options.Sessions.AccessTokenLife };
        }

        var problems = options.StoreProblems().Concat(forServer ? options.ServerProblems() : []).ToList();
        return problems.Count == 0
            ? options
            : throw new ConfigurationException(string.Join(Environment.NewLine, problems));
    }

    private IEnumerable<string> ServerProblems()
    {
        if (Port == InternalPort)
        {
            yield return "GATEHOUSE_INTERNAL_PORT must differ from GATEHOUSE_PORT.";
        }

        if (!Uri.TryCreate(Issuer, UriKind.Absolute, out var issuer)
            || (issuer.Scheme != Uri.UriSchemeHttp && issuer.Scheme != Uri.UriSchemeHttps)
            || issuer.Query.Length > 0
            || issuer.Fragment.Length > 0)
        {
            yield return "Gatehouse:Issuer must be the absolute URL under which this server is reached, without query or fragment.";
        }
        else if (!IsDevelopment && issuer.Scheme != Uri.UriSchemeHttps)
        {
            yield return "Gatehouse:Issuer must begin with https://.";
        }

        foreach (var origin in Cors.Origins.Where(origin =>
            !Uri.TryCreate(origin, UriKind.Absolute, out var url) || url.GetLeftPart(UriPartial.Authority) != origin))
        {
            yield return $"Gatehouse:Cors:Origins: '{origin}' must be scheme, host and port alone, such as https://app.example.com.";
        }

        foreach (var proxy in TrustedProxies.Where(proxy => !TryParseNetwork(proxy, out _)))
        {
            yield return $"Gatehouse:TrustedProxies: '{proxy}' is neither an address nor a network such as 10.0.0.0/8.";
        }

        foreach (var problem in Internal.Problems())
        {
            yield return problem;
        }

        if (!IsDevelopment)
        {
            foreach (var problem in Mail.Problems())
            {
                yield return problem;
            }
        }
    }

    private IEnumerable<string> StoreProblems()
    {
        foreach (var problem in Passwords.Problems())
        {
            yield return problem;
        }

        foreach (var (name, policy) in new[]
        {
            ("Login", RateLimits.Login), ("Account", RateLimits.Account), ("Refresh", RateLimits.Refresh),
        })
        {
            if (!policy.IsUsable)
            {
                yield return $"Gatehouse:RateLimits:{name} {ThrottlePolicy.Need}";
            }
        }

        foreach (var problem in Challenges.Problems())
        {
            yield return problem;
        }

        var spans = new[]
        {
            ("Sessions:IdleLimit", Sessions.IdleLimit),
            ("Sessions:ShortIdleLimit", Sessions.ShortIdleLimit),
            ("Sessions:AbsoluteLimit", Sessions.AbsoluteLimit),
            ("Sessions:RefreshGrace", Sessions.RefreshGrace),
            ("Sessions:LostAnswer", Sessions.LostAnswer),
            ("Keys:SigningKeyLife", Keys.SigningKeyLife),
            ("Keys:RefreshKeyLife", Keys.RefreshKeyLife),
            ("Passwords:QueueTimeout", Passwords.QueueTimeout),
            ("Projection:MaxStaleness", Projection.MaxStaleness),
        };
        foreach (var (name, _) in spans.Where(span => span.Item2 < TimeSpan.FromMilliseconds(1)))
        {
            yield return $"Gatehouse:{name} must be more than nothing.";
        }

        if (Sessions.AccessTokenLife < TimeSpan.FromSeconds(1))
        {
            yield return "Gatehouse:Sessions:AccessTokenLife must be at least a second.";
        }

        foreach (var (name, _) in new[]
        {
            ("Sessions:Limit", Sessions.Limit), ("Sessions:CacheCapacity", Sessions.CacheCapacity), ("VerifiedTokens", VerifiedTokens),
        }.Where(count => count.Item2 < 1))
        {
            yield return $"Gatehouse:{name} must be at least 1.";
        }
    }

    private static int Number(IConfiguration configuration, string name, int otherwise)
    {
        var text = configuration[name];
        return string.IsNullOrEmpty(text) ? otherwise
            : ushort.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var port) && port > 0 ? port
            : throw new ConfigurationException($"{name} must be a port number from 1 to 65535, not '{text}'.");
    }

    private static IPNetwork ParseNetwork(string text) => TryParseNetwork(text, out var network) ? network : default;

    private static bool TryParseNetwork(string text, out IPNetwork network)
    {
        if (IPAddress.TryParse(text, out var address))
        {
            network = new IPNetwork(address, address.GetAddressBytes().Length * 8);
            return true;
        }

        return IPNetwork.TryParse(text, out network);
    }

    internal sealed class CorsSection
    {
        public IList<string> Origins { get; } = [];
    }
}

/// <summary>A setting that cannot be used; the message is for the operator.</summary>
internal sealed class ConfigurationException(string message) : Exception(message);
