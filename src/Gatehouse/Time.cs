namespace Gatehouse;

/// <summary>Time as the store keeps it.</summary>
public static class Time
{
    /// <summary>Now, in Unix milliseconds.</summary>
    public static long Now(this TimeProvider time) => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>A span in whole milliseconds.</summary>
    public static long Milliseconds(this TimeSpan span) => (long)span.TotalMilliseconds;
}
