namespace Gatehouse.Idempotency;

/// <summary>A write as its client marked it.</summary>
/// <param name="Scope">Who asks for what: principal or address prefix, method and path. One client's key means nothing to another.</param>
/// <param name="Key">The client's key.</param>
/// <param name="BodyHash">A hash of the body, to tell a repetition from another request under the same key.</param>
public sealed record IdempotentRequest(string Scope, string Key, byte[] BodyHash);

/// <summary>An answer that can be given again: status and JSON body.</summary>
public sealed record Reply(int Status, byte[] Body);

/// <summary>What is known of a key before the write runs.</summary>
public abstract record IdempotencyState
{
    /// <summary>Nothing yet.</summary>
    public sealed record Unknown : IdempotencyState;

    /// <summary>It was done before, and this was the answer.</summary>
    public sealed record Done(Reply Reply) : IdempotencyState;

    /// <summary>The key belongs to a request with another body.</summary>
    public sealed record OtherBody : IdempotencyState;
}
