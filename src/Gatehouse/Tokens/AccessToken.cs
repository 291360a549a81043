namespace Gatehouse.Tokens;

/// <summary>What an access token says (RFC 9068 §2.2); times are Unix seconds.</summary>
public sealed record AccessToken
{
    /// <summary><c>iss</c>: the deployment.</summary>
    public required string Issuer { get; init; }

    /// <summary><c>sub</c>: the user.</summary>
    public required Guid Subject { get; init; }

    /// <summary><c>aud</c>: the one resource the token is for (RFC 8707).</summary>
    public required string Audience { get; init; }

    /// <summary><c>sid</c>: the session, on whose row every decision rests.</summary>
    public required Guid SessionId { get; init; }

    /// <summary><c>tid</c>: the tenant the session is in; null is written as null.</summary>
    public Guid? TenantId { get; init; }

    /// <summary><c>scope</c>: scopes, separated by spaces.</summary>
    public required string Scope { get; init; }

    /// <summary><c>amr</c>: methods (RFC 8176), separated by spaces; an array on the wire.</summary>
    public required string Amr { get; init; }

    /// <summary><c>auth_time</c>: when the user proved who they are.</summary>
    public required long AuthTime { get; init; }

    /// <summary><c>iat</c>.</summary>
    public required long IssuedAt { get; init; }

    /// <summary><c>exp</c>: the first second in which the token is no longer good.</summary>
    public required long ExpiresAt { get; init; }

    /// <summary><c>jti</c>.</summary>
    public required string TokenId { get; init; }

    /// <summary><c>client_id</c>: the OAuth client; empty, and absent on the wire, for first-party tokens.</summary>
    public string ClientId { get; init; } = "";

    /// <summary><c>cnf.jkt</c>: the sender's key (RFC 9449 §6.1); empty, and absent on the wire, for bearer tokens.</summary>
    public string DpopThumbprint { get; init; } = "";
}

/// <summary>What a verifier makes of a presented text.</summary>
public abstract record TokenCheck
{
    private TokenCheck()
    {
    }

    /// <summary>Genuine, for this audience, and in its time. Whether its session is alive is another question.</summary>
    public sealed record Verified(AccessToken Token) : TokenCheck;

    /// <summary>Genuine and for this audience, but past its time; enough to end a session or to read one's own.</summary>
    public sealed record Expired(AccessToken Token) : TokenCheck;

    /// <summary>Not a token of ours, or not for this audience.</summary>
    public sealed record Invalid : TokenCheck
    {
        internal static Invalid Instance { get; } = new();
    }

    /// <summary>Names a key that is not known here; it may have been made a moment ago by another process.</summary>
    public sealed record UnknownKey : TokenCheck
    {
        internal static UnknownKey Instance { get; } = new();
    }
}

/// <summary>Who issues tokens and for whom.</summary>
public sealed record TokenOptions
{
    /// <summary>The issuer, compared exactly.</summary>
    public required string Issuer { get; init; }

    /// <summary>The audience of first-party tokens; the issuer unless set.</summary>
    public string Audience
    {
        get => field ?? Issuer;
        init;
    }

    /// <summary>How many verified tokens are remembered at most.</summary>
    public int VerifiedCache { get; init; } = 65_536;
}
