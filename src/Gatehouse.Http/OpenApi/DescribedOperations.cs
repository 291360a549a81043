using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Gatehouse.Http.OpenApi;

/// <summary>Fills an operation of the document from its route's description.</summary>
internal sealed class DescribedOperations : IOpenApiOperationTransformer
{
    private const string Json = "application/json";

    public Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        if (metadata.OfType<RouteDescription>().FirstOrDefault() is not { } route)
        {
            return Task.CompletedTask;
        }

        var method = context.Description.HttpMethod!;
        var path = "/" + context.Description.RelativePath;
        new Writer(context.Document!, operation, route, $"{method} {path}").Write(path);
        operation.OperationId = OperationId(method, path);
        return Task.CompletedTask;
    }

    // GET /api/v1/auth/sessions/{id} is getApiV1AuthSessionsId: generators make method names from it.
    private static string OperationId(string method, string path) => method.ToLowerInvariant() + string.Concat(path
        .Split(['/', '{', '}', '-', '.'], StringSplitOptions.RemoveEmptyEntries)
        .Select(word => char.ToUpperInvariant(word[0]) + word[1..]));

    private sealed class Writer(OpenApiDocument document, OpenApiOperation operation, RouteDescription route, string key)
    {
        public void Write(string path)
        {
            operation.Summary = route.Summary;
            operation.Description = route.Details;
            WriteParameters(path);
            WriteBody();
            WriteSuccesses();
            foreach (var (status, codes) in route.Failures)
            {
                WriteFailure(status, ErrorAnswers.Worded(path, status, codes));
            }

            foreach (var (status, name) in DocumentFrame.FailuresOfAll)
            {
                operation.Responses![Text(status)] = new OpenApiResponseReference(name, document);
            }

            WriteCredential();
        }

        private void WriteParameters(string path)
        {
            var parameters = operation.Parameters = [];
            foreach (var segment in path.Split('/').Where(segment => segment.StartsWith('{')))
            {
                parameters.Add(new OpenApiParameter
                {
                    Name = segment.Trim('{', '}'),
                    In = ParameterLocation.Path,
                    Required = true,
                    Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                });
            }

            foreach (var header in route.Takes)
            {
                parameters.Add(new OpenApiParameterReference(header, document));
            }

            if (route.Idempotency != IdempotencyUse.None)
            {
                var name = route.Idempotency == IdempotencyUse.Once ? DocumentFrame.IdempotencyKey : DocumentFrame.RetryKey;
                parameters.Add(new OpenApiParameterReference(name, document));
            }
        }

        private void WriteBody()
        {
            if (route.Body is not { } body)
            {
                return;
            }

            document.AddComponent<IOpenApiSchema>(body.Name, RequestSchemas.Of(body));
            operation.RequestBody = new OpenApiRequestBody
            {
                Required = !body.IsOptional,
                Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
                {
                    [Json] = new() { Schema = new OpenApiSchemaReference(body.Name, document), Examples = Examples.Of(key, "request") },
                },
            };
        }

        private void WriteSuccesses()
        {
            operation.Responses ??= [];

            // The framework answers for every method it looks at with an empty 200.
            if (route.Successes.All(answer => answer.Status != 200))
            {
                operation.Responses.Remove("200");
            }

            foreach (var answer in route.Successes)
            {
                var status = Text(answer.Status);
                var response = operation.Responses.TryGetValue(status, out var made) ? (OpenApiResponse)made : new OpenApiResponse();
                operation.Responses[status] = response;
                response.Description = answer.Meaning;
                response.Headers = Headers(
                [
                    .. answer.Headers,
                    .. route.ShowsLimit.Contains(answer.Status) ? Shown.RateLimit : [],
                    .. route.Idempotency == IdempotencyUse.Once ? new[] { Shown.Replayed } : [],
                ]);
                if (response.Content?.TryGetValue(Json, out var media) == true)
                {
                    media.Examples = Examples.Of(key, status);
                }
            }
        }

        private void WriteFailure(int status, IReadOnlyList<string> codes)
        {
            var text = Text(status);
            operation.Responses![text] = new OpenApiResponse
            {
                Description = string.Join(", ", codes.Select(code => $"`{code}`")),
                Headers = Headers(
                [
                    .. route.ShowsLimit.Contains(status) ? Shown.RateLimit : [],
                    .. status is 429 or 503 || codes.Contains("IDEMPOTENCY_IN_PROGRESS", StringComparer.Ordinal) ? new[] { Shown.RetryAfter } : [],
                    .. status == 401 && route.Credential != Credential.None ? new[] { Shown.Challenge } : [],
                ]),
                Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
                {
                    [Json] = new() { Schema = ErrorSchema(codes), Examples = Examples.Of(key, text) ?? Examples.OfAny(key, text) },
                },
            };
        }

        private OpenApiSchema ErrorSchema(IReadOnlyList<string> codes) => new()
        {
            AllOf = [new OpenApiSchemaReference(DocumentFrame.Error, document), RequestSchemas.WithCode(codes)],
        };

        private void WriteCredential()
        {
            if (route.Credential == Credential.None)
            {
                return;
            }

            var bearer = new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(DocumentFrame.Bearer, document)] = [] };
            operation.Security = route.Credential == Credential.Needed ? [bearer] : [bearer, []];
        }

        private Dictionary<string, IOpenApiHeader> Headers(IReadOnlyList<string> names) => names.Append(Shown.RequestId).ToDictionary(
            name => name, IOpenApiHeader (name) => new OpenApiHeaderReference(name, document), StringComparer.Ordinal);

        private static string Text(int status) => status.ToString(CultureInfo.InvariantCulture);
    }
}

/// <summary>Schemas that come from descriptions rather than from types.</summary>
internal static class RequestSchemas
{
    /// <summary>The schema of a body, from what its record asks for.</summary>
    public static OpenApiSchema Of(DescribedBody body) => Hold(new OpenApiSchema { Type = JsonSchemaType.Object }, body.Fields);

    private static OpenApiSchema Hold(OpenApiSchema schema, IReadOnlyList<FieldShape> fields)
    {
        schema.Properties = new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal);
        schema.Required = new HashSet<string>(StringComparer.Ordinal);
        foreach (var field in fields)
        {
            schema.Properties[field.Name] = Of(field);
            if (field.Alias is { } alias)
            {
                schema.Properties[alias] = Of(field);
                schema.AnyOf = [Requires(field.Name), Requires(alias)];
            }
            else if (field.IsRequired)
            {
                schema.Required.Add(field.Name);
            }
        }

        return schema;
    }

    /// <summary>An error whose code is one of these.</summary>
    public static OpenApiSchema WithCode(IEnumerable<string> codes) => Holding("error", Holding("code", new OpenApiSchema
    {
        Type = JsonSchemaType.String,
        Enum = [.. codes.Select(code => JsonValue.Create(code))],
    }));

    private static OpenApiSchema Of(FieldShape field) => field.Members.Count > 0 ? Hold(Plain(field), field.Members) : Plain(field);

    private static OpenApiSchema Plain(FieldShape field) => new()
    {
        // An optional member may also be null, which counts as missing.
        Type = TypeOf(field) | (field.IsRequired ? default : JsonSchemaType.Null),
        MinLength = field is { Type: "string", IsRequired: true, Alias: null } ? 1 : null,
        MaxLength = field.MaxLength,
        Minimum = field.Least?.ToString(CultureInfo.InvariantCulture),
        Maximum = field.Most?.ToString(CultureInfo.InvariantCulture),
        Format = field.Format,
        Default = field.Otherwise is { } otherwise ? JsonValue.Create(otherwise) : null,
        Enum = field.Allowed.Count > 0 ? [.. field.Allowed.Select(value => (JsonNode)JsonValue.Create(value)!), JsonNullSentinel.JsonNull] : null,
    };

    private static JsonSchemaType TypeOf(FieldShape field) => field.Type switch
    {
        "boolean" => JsonSchemaType.Boolean,
        "integer" => JsonSchemaType.Integer,
        "object" => JsonSchemaType.Object,
        _ => JsonSchemaType.String,
    };

    private static OpenApiSchema Holding(string name, OpenApiSchema value) => new()
    {
        Type = JsonSchemaType.Object,
        Properties = new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal) { [name] = value },
    };

    private static OpenApiSchema Requires(string name) => new() { Required = new HashSet<string>(StringComparer.Ordinal) { name } };
}
