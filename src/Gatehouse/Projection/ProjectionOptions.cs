namespace Gatehouse.Projection;

/// <summary>Configuration section <c>Gatehouse:Projection</c>.</summary>
public sealed class ProjectionOptions
{
    /// <summary>A PostgreSQL connection string to keep the session feed apart from the store; empty keeps it inside.</summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>Beyond this age of its view a process asks the store about every session.</summary>
    public TimeSpan MaxStaleness { get; set; } = TimeSpan.FromSeconds(5);
}
