using System.Globalization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Gatehouse.Http.OpenApi;

/// <summary>What the document says once: who we are, tags, credentials, headers, and the failures that every route has.</summary>
internal sealed class DocumentFrame : IOpenApiDocumentTransformer
{
    public const string Bearer = "bearer";
    public const string Error = "Error";
    public const string IdempotencyKey = "Idempotency-Key";
    public const string RetryKey = "Retry-Key";

    /// <summary>Failures that have nothing to do with the route, by status, and the component that describes each.</summary>
    public static readonly IReadOnlyList<(int Status, string Name)> FailuresOfAll =
        [(403, "HttpsRequired"), (500, "InternalError"), (503, "Unavailable")];

    private static readonly (string Name, JsonSchemaType Type, string Description)[] Headers =
    [
        ("X-RateLimit-Limit", JsonSchemaType.Integer, "How many permits the bucket holds."),
        ("X-RateLimit-Remaining", JsonSchemaType.Integer, "How many are left."),
        ("X-RateLimit-Reset", JsonSchemaType.Integer, "When the next permit is free, in Unix seconds."),
        (Shown.RetryAfter, JsonSchemaType.Integer, "Seconds after which to try again; the same as `error.retryAfter`."),
        (Shown.ETag, JsonSchemaType.String, "The tag of this body, for `If-None-Match`."),
        (Shown.CacheControl, JsonSchemaType.String, "Who may keep the answer, and for how long."),
        (Shown.Challenge, JsonSchemaType.String, "`Bearer`, with `error` and `resource_metadata` (RFC 6750, RFC 9728)."),
        (Shown.Replayed, JsonSchemaType.Boolean, "`true` when this is the kept answer of an earlier request with the same key."),
        (Shown.RequestId, JsonSchemaType.String, "The request's id: the one it was sent with, if it is harmless, or a new one."),
    ];

    public async Task TransformAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Info = new OpenApiInfo
        {
            Title = "Gatehouse",
            Version = typeof(DocumentFrame).Assembly.GetName().Version!.ToString(3),
            License = new OpenApiLicense { Name = "Apache-2.0", Identifier = "Apache-2.0" },
            Description = """
                Sign-in and sessions. Sign in to get an access and a refresh token, send the access token as `Authorization: Bearer`,
                and refresh before it expires; each refresh answers with the next refresh token.

                Every refusal has one shape: `error.code` is for programs, `error.message` for people, `error.requestId` for whoever
                looks into it. Times are UTC (`2026-01-18T10:00:00Z`), lives are in seconds.
                """,
        };

        // Relative, so that trying out goes to the server that serves the document and never to a name from the Host header.
        document.Servers = [new OpenApiServer { Url = "/" }];
        document.Tags = new HashSet<OpenApiTag>
        {
            new() { Name = Tag.Portal, Description = "For a web application's own user interface." },
            new() { Name = Tag.V2, Description = "The same sign-in for clients of the second version." },
            new() { Name = Tag.Public, Description = "Sign-in without a password. Unknown members are refused; codes of errors are in lower case." },
            new() { Name = Tag.OAuth, Description = "For applications that check our tokens." },
            new() { Name = Tag.Operations, Description = "For whoever runs the server." },
        };
        document.AddComponent<IOpenApiSchema>(Error, await context.GetOrCreateSchemaAsync(typeof(ErrorAnswer), null, cancellationToken));
        document.AddComponent<IOpenApiSecurityScheme>(Bearer, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            BearerFormat = "JWT",
            Description = "The `accessToken` of a sign-in or a refresh (RFC 6750).",
        });
        foreach (var (name, type, description) in Headers)
        {
            document.AddComponent<IOpenApiHeader>(
                name, new OpenApiHeader { Description = description, Schema = new OpenApiSchema { Type = type } });
        }

        AddParameters(document);
        AddFailures(document);
    }

    private static void AddParameters(OpenApiDocument document)
    {
        Add(IdempotencyKey, IdempotencyKey, 255, """
            A fresh random value for each request, the same for its repetitions: it happens once, and for 24 hours a repetition gets the
            first answer again.
            """);
        Add(RetryKey, IdempotencyKey, 255, """
            A fresh random value for each request, the same for its repetitions: if the answer is lost, a repetition gets it within 24 hours.
            """);
        Add("Accept-Language", "Accept-Language", 1024, "The languages one reads, for messages and for a new user's preferences (RFC 9110 §12.5.4).");
        Add("If-None-Match", "If-None-Match", 1024, "The tag of the body one has; if it is still current, the answer is 304.");

        void Add(string id, string name, int maxLength, string description) => document.AddComponent<IOpenApiParameter>(
            id,
            new OpenApiParameter
            {
                Name = name,
                In = ParameterLocation.Header,
                Description = description.ReplaceLineEndings(" ").Trim(),
                Schema = new OpenApiSchema { Type = JsonSchemaType.String, MinLength = 1, MaxLength = maxLength },
            });
    }

    private static void AddFailures(OpenApiDocument document)
    {
        foreach (var (status, name) in FailuresOfAll)
        {
            // The front door has only one error for each of them, whatever the route.
            var error = status == 403 ? FrontDoor.HttpsRequired : ApiError.ForStatus(status);
            var headers = new Dictionary<string, IOpenApiHeader>(StringComparer.Ordinal)
            {
                [Shown.RequestId] = new OpenApiHeaderReference(Shown.RequestId, document),
            };
            if (error.RetryAfter is not null)
            {
                headers[Shown.RetryAfter] = new OpenApiHeaderReference(Shown.RetryAfter, document);
            }

            document.AddComponent<IOpenApiResponse>(name, new OpenApiResponse
            {
                Description = $"`{error.Code}`: {error.Message}",
                Headers = headers,
                Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
                {
                    ["application/json"] = new()
                    {
                        Schema = new OpenApiSchema
                        {
                            AllOf = [new OpenApiSchemaReference(Error, document), RequestSchemas.WithCode([error.Code])],
                        },
                        Examples = Examples.Of("any", status.ToString(CultureInfo.InvariantCulture)),
                    },
                },
            });
        }
    }
}
