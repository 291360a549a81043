using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Server.Tests;

/// <summary>A setting that cannot work stops the start: one line that names it, exit code 1, nothing else.</summary>
public sealed class SettingsTests
{
    [Theory]
    [InlineData("GATEHOUSE_PORT", "eighty", "GATEHOUSE_PORT must be a port number")]
    [InlineData("GATEHOUSE_PORT", "0", "GATEHOUSE_PORT must be a port number")]
    [InlineData("GATEHOUSE_INTERNAL_PORT", "65536", "GATEHOUSE_INTERNAL_PORT must be a port number")]
    [InlineData("GATEHOUSE_POSTGRES", "secret-nonsense", "GATEHOUSE_POSTGRES must be a connection string")]
    [InlineData("GATEHOUSE_POSTGRES", "Host=127.0.0.1;Port=1;Username=u;Password=secret-word", "PostgreSQL cannot answer now.")]
    [InlineData("GATEHOUSE_MASTER_KEY", "secret-nonsense", "GATEHOUSE_MASTER_KEY must hold 32 bytes as base64")]
    [InlineData("Gatehouse__Issuer", "example.com", "Gatehouse:Issuer must be the absolute URL")]
    [InlineData("Gatehouse__Issuer", "ftp://example.com", "Gatehouse:Issuer must be the absolute URL")]
    [InlineData("Gatehouse__Issuer", "http://example.com/?a=b", "Gatehouse:Issuer must be the absolute URL")]
    [InlineData("Gatehouse__TrustedProxies__0", "10.0.0.0/99", "Gatehouse:TrustedProxies: '10.0.0.0/99'")]
    [InlineData("Gatehouse__Passwords__MemoryKiB", "1", "Gatehouse:Passwords:MemoryKiB must be between")]
    [InlineData("Gatehouse__Sessions__Limit", "many", "Gatehouse:Sessions:Limit")]
    [InlineData("Gatehouse__RateLimits__Login__Limit", "0", "Gatehouse:RateLimits:Login")]
    [InlineData("Gatehouse__NoSuchThing", "1", "NoSuchThing")]
    public async Task A_bad_setting_stops_the_start_with_one_line_that_names_it(string name, string value, string expected)
    {
        await using var database = await TestDatabase.Empty(Engine.Sqlite);
        await using var server = ServerProcess.Launch(database, (name, value));

        Assert.Equal(1, await server.Exit());
        var line = Assert.Single(server.Printed.Split('\n'));
        Assert.StartsWith("gatehouse: ", line, StringComparison.Ordinal);
        Assert.Contains(expected, line, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_in_use_stops_the_start_with_one_line_that_names_it()
    {
        await using var database = await TestDatabase.Empty(Engine.Sqlite);
        await using var first = await ServerProcess.Start(database);
        await using var second = ServerProcess.Launch(database, ("GATEHOUSE_PORT", $"{first.Port}"));
        await using var third = ServerProcess.Launch(
            database, ("GATEHOUSE_PORT", "4711"), ("GATEHOUSE_INTERNAL_PORT", "4711"));

        Assert.Equal(1, await second.Exit());
        Assert.Contains($":{first.Port}: address already in use", Assert.Single(second.Printed.Split('\n')), StringComparison.Ordinal);
        Assert.Equal(1, await third.Exit());
        Assert.Equal("gatehouse: GATEHOUSE_INTERNAL_PORT must differ from GATEHOUSE_PORT.", third.Printed);
    }

    [Theory]
    [BothEngines]
    public async Task Keys_without_their_master_key_stop_the_start(Engine engine)
    {
        await using var database = await TestDatabase.Empty(engine);
        Assert.Equal(0, (await GatehouseCommand.Run(database, "migrate")).ExitCode);
        var file = Path.Combine(database.Folder, "master.key");
        File.Move(file, file + ".kept");

        await using var without = ServerProcess.Launch(database);
        await using var withAnother = ServerProcess.Launch(database, ("GATEHOUSE_MASTER_KEY", Convert.ToBase64String(new byte[32])));

        Assert.Equal(1, await without.Exit());
        Assert.StartsWith("gatehouse: The database holds keys, but there is no master key", without.Printed, StringComparison.Ordinal);
        Assert.False(File.Exists(file));
        Assert.Equal(1, await withAnother.Exit());
        Assert.StartsWith("gatehouse: The master key does not open the keys of this database", withAnother.Printed, StringComparison.Ordinal);

        File.Move(file + ".kept", file);
        await using var healed = await ServerProcess.Start(database);
    }

    [Fact]
    public async Task Production_needs_an_issuer_and_a_mail_server()
    {
        await using var database = await TestDatabase.Empty(Engine.Sqlite);
        await using var bare = ServerProcess.Launch(database, ("ASPNETCORE_ENVIRONMENT", "Production"));
        await using var plain = ServerProcess.Launch(
            database, [.. ProductionTests.Settings, ("Gatehouse__Issuer", "http://id.example.com")]);

        Assert.Equal(1, await bare.Exit());
        Assert.Contains("Gatehouse:Issuer must be the absolute URL", bare.Printed, StringComparison.Ordinal);
        Assert.Contains("Gatehouse:Mail:Host is missing.", bare.Printed, StringComparison.Ordinal);
        Assert.Equal(1, await plain.Exit());
        Assert.Equal("gatehouse: Gatehouse:Issuer must begin with https://.", plain.Printed);
    }
}
