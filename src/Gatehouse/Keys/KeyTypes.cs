namespace Gatehouse.Keys;

/// <summary>What a key is for.</summary>
public enum KeyUse
{
    /// <summary>Signs access tokens (ES256, RFC 7518 §3.4).</summary>
    Signing,

    /// <summary>Authenticates refresh tokens (HMAC-SHA-256).</summary>
    Refresh,

    /// <summary>The root from which purpose keys are derived (HKDF-SHA-256, RFC 5869); it never rotates.</summary>
    Secret,
}

/// <summary>Where a key stands in its life.</summary>
public enum KeyState
{
    /// <summary>Published and trusted, not yet used for anything new.</summary>
    Next,

    /// <summary>Used for everything new.</summary>
    Current,

    /// <summary>Only verifies what it made; it goes when nothing of that is alive.</summary>
    Retired,
}

/// <summary>How long keys serve.</summary>
public sealed record KeyOptions
{
    /// <summary>How long a signing key stays current.</summary>
    public TimeSpan SigningKeyLife { get; init; } = TimeSpan.FromDays(30);

    /// <summary>How long a refresh key stays current; sessions opened under it keep it to their end.</summary>
    public TimeSpan RefreshKeyLife { get; init; } = TimeSpan.FromDays(90);

    /// <summary>The longest life of an access token: a retired signing key stays trusted that long.</summary>
    public TimeSpan LongestToken { get; init; } = TimeSpan.FromSeconds(3600);
}

/// <summary>
/// A key as an operator sees it: its kid is the JWK thumbprint (RFC 7638) of a signing key, otherwise empty; times are Unix
/// milliseconds, 0 where it has not happened yet.
/// </summary>
public sealed record KeyInfo(
    long Number, string Kid, KeyUse Use, KeyState State, long PublishedAt, long ActivatedAt, long RetiredAt);

/// <summary>What became of a wish to rotate.</summary>
public abstract record Rotation
{
    private Rotation()
    {
    }

    /// <summary>The current key retired, the next one took its place, and a new next one is published.</summary>
    public sealed record Rotated(long Retired, long Current, long Next) : Rotation;

    /// <summary>The next key has been published too briefly for every verifier to know it; Unix milliseconds.</summary>
    public sealed record TooEarly(long PossibleFrom) : Rotation;

    /// <summary>The current key is young enough.</summary>
    public sealed record NotDue : Rotation;
}

/// <summary>The keys cannot be used: nothing may be signed, verified or newly made until an operator has looked.</summary>
public sealed class KeyException : Exception
{
    /// <summary>Says what is wrong and what to do.</summary>
    public KeyException(string message, Exception? inner = null) : base(message, inner)
    {
    }
}
