namespace Gatehouse.Sessions;

/// <summary>Configuration section <c>Gatehouse:Sessions</c>.</summary>
public sealed class SessionOptions
{
    /// <summary>A session ends when it was not refreshed for this long.</summary>
    public TimeSpan IdleLimit { get; set; } = TimeSpan.FromDays(14);

    /// <summary>The idle limit of a session opened without "remember me".</summary>
    public TimeSpan ShortIdleLimit { get; set; } = TimeSpan.FromHours(12);

    /// <summary>A session ends this long after sign-in, however busy it is.</summary>
    public TimeSpan AbsoluteLimit { get; set; } = TimeSpan.FromDays(30);

    /// <summary>How long the previous refresh token still gets the same successor.</summary>
    public TimeSpan RefreshGrace { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a refresh repeated with its own <c>Idempotency-Key</c> still gets its lost answer.</summary>
    public TimeSpan LostAnswer { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Sessions a user may have at once; read at each sign-in, overridden by the setting <c>session_limit</c>.</summary>
    public int Limit { get; set; } = 50;

    /// <summary>What a sign-in over the limit does.</summary>
    public SessionLimitPolicy LimitPolicy { get; set; } = SessionLimitPolicy.Evict;

    /// <summary>Sessions kept in memory for checks; the rest are read when they are used.</summary>
    public int CacheCapacity { get; set; } = 1_000_000;

    /// <summary>Off for literal clients of the Portal and V2 surfaces that cannot store a new refresh token.</summary>
    public bool RotateOnPortal { get; set; } = true;

    /// <summary>The life of access tokens on the Portal and V2 surfaces.</summary>
    public TimeSpan AccessTokenLife { get; set; } = TimeSpan.FromHours(1);
}

/// <summary>What happens at the session limit.</summary>
public enum SessionLimitPolicy
{
    /// <summary>The least recently used session ends.</summary>
    Evict,

    /// <summary>The sign-in is refused.</summary>
    Reject,
}
