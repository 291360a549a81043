using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Gatehouse.Http.OpenApi;

/// <summary>What the document says about a route; written beside the route, read only when the document is made.</summary>
internal sealed class RouteDescription(IEndpointConventionBuilder route, string summary, string details)
{
    private readonly List<DescribedAnswer> answers = [];
    private readonly SortedDictionary<int, List<string>> failures = [];

    public string Summary => summary;

    public string Details => details;

    public DescribedBody? Body { get; private set; }

    public Credential Credential { get; private set; }

    public IdempotencyUse Idempotency { get; private set; }

    /// <summary>The statuses whose answers show the throttle's bucket.</summary>
    public IReadOnlyList<int> ShowsLimit { get; private set; } = [];

    /// <summary>Request headers beside those that follow from the rest.</summary>
    public List<string> Takes { get; } = [];

    public IReadOnlyList<DescribedAnswer> Successes => answers;

    /// <summary>The codes of each status, beside the failures that every route has.</summary>
    public IReadOnlyDictionary<int, List<string>> Failures => failures;

    /// <summary>A JSON body, read as the record reads it; its limits become the schema's.</summary>
    public RouteDescription Accepts<T>(Func<JsonFields, T> read, bool isOptional = false)
    {
        var shapes = new List<FieldShape>();
        read(new JsonFields(default, shapes));
        Body = new DescribedBody(typeof(T).Name, shapes, isOptional);
        return Fails(400, shapes.Count > 0 ? ["VALIDATION_FAILED", "INVALID_REQUEST"] : ["INVALID_REQUEST"])
            .Fails(413, "PAYLOAD_TOO_LARGE").Fails(415, "UNSUPPORTED_MEDIA_TYPE");
    }

    /// <summary>An answer with a JSON body.</summary>
    public RouteDescription Answers<T>(int status, string meaning, params string[] headers) => Add(status, typeof(T), meaning, headers);

    /// <summary>An answer without a body.</summary>
    public RouteDescription AnswersEmpty(int status, string meaning, params string[] headers) => Add(status, null, meaning, headers);

    /// <summary>A refusal, with the codes that may be in it.</summary>
    public RouteDescription Fails(int status, params IReadOnlyList<string> codes)
    {
        if (!failures.TryGetValue(status, out var known))
        {
            failures[status] = known = [];
        }

        known.AddRange(codes.Except(known, StringComparer.Ordinal));
        return this;
    }

    /// <summary>A bearer token of a live session opens the route.</summary>
    public RouteDescription NeedsBearer()
    {
        Credential = Credential.Needed;
        return Fails(401, "UNAUTHENTICATED", "TOKEN_EXPIRED", "TOKEN_INVALID", "SESSION_REVOKED");
    }

    /// <summary>A bearer token is one of several ways in.</summary>
    public RouteDescription MayHaveBearer()
    {
        Credential = Credential.Possible;
        return this;
    }

    /// <summary>429 when the bucket is empty; its headers are there, and in the answers of these statuses.</summary>
    public RouteDescription IsThrottled(params IReadOnlyList<int> shownIn)
    {
        ShowsLimit = [429, .. shownIn];
        return Fails(429, "RATE_LIMIT_EXCEEDED");
    }

    /// <summary>A write that happens once under an <c>Idempotency-Key</c>.</summary>
    public RouteDescription HappensOnce()
    {
        Idempotency = IdempotencyUse.Once;
        return Fails(400, "VALIDATION_FAILED").Fails(409, "IDEMPOTENCY_IN_PROGRESS").Fails(422, "IDEMPOTENCY_KEY_REUSED");
    }

    /// <summary>Only a lost answer is given again under an <c>Idempotency-Key</c>.</summary>
    public RouteDescription MayBeRepeated()
    {
        Idempotency = IdempotencyUse.LostAnswer;
        return this;
    }

    /// <summary>A request header the route looks at.</summary>
    public RouteDescription TakesHeader(string name)
    {
        Takes.Add(name);
        return this;
    }

    private RouteDescription Add(int status, Type? type, string meaning, string[] headers)
    {
        answers.Add(new DescribedAnswer(status, meaning, headers));
        if (type is not null)
        {
            route.WithMetadata(new ProducesResponseTypeMetadata(status, type, ["application/json"]));
        }

        return this;
    }
}

/// <summary>A request body: its name in the document and what its record asks for.</summary>
internal sealed record DescribedBody(string Name, IReadOnlyList<FieldShape> Fields, bool IsOptional);

/// <summary>An answer that is no refusal; its schema comes from the type in the route's metadata.</summary>
internal sealed record DescribedAnswer(int Status, string Meaning, IReadOnlyList<string> Headers);

/// <summary>Whether a route wants a bearer token.</summary>
internal enum Credential
{
    None,
    Possible,
    Needed,
}

/// <summary>What an <c>Idempotency-Key</c> does on a route.</summary>
internal enum IdempotencyUse
{
    None,
    LostAnswer,
    Once,
}
