using System.Collections.Concurrent;
using Gatehouse.Idempotency;
using Microsoft.AspNetCore.Http;

namespace Gatehouse.Http;

/// <summary>
/// Gives a write that carries an <c>Idempotency-Key</c> one effect and one answer: a repetition gets the first answer again, another body
/// under the same key 422, and a twin that comes while the first is at work 409.
/// </summary>
public sealed class IdempotentWrites(IdempotencyStore store, TimeProvider time)
{
    private const int MaxKey = 255;

    private static readonly ApiError InProgress =
        new(409, "IDEMPOTENCY_IN_PROGRESS", "The same request is still being worked on. Try again in a moment.") { RetryAfter = 1 };

    private static readonly ApiError KeyReused =
        new(422, "IDEMPOTENCY_KEY_REUSED", "This Idempotency-Key was used for another request. Use a fresh key for each request.");

    private static readonly ApiError BadKey = ApiError.Invalid(
        new FieldProblem("Idempotency-Key", $"must be one value of 1 to {MaxKey} printable ASCII characters."));

    // One process's own twins are told apart here, before they queue for the store.
    private readonly ConcurrentDictionary<(string Scope, string Key), bool> atWork = new();

    /// <summary>
    /// Runs <paramref name="write"/> and answers with what <paramref name="render"/> makes of its outcome. The write passes the
    /// <see cref="IdempotentWrite{T}"/> it is given to its use case; it is null when the request has no key.
    /// </summary>
    internal async Task Answer<T>(HttpContext http, string principal, Func<IdempotentWrite<T>?, Task<T>> write, Func<T, Reply> render)
    {
        if (IdempotencyKey.Raw(http) is not { } key)
        {
            await Send(http, render(await write(null)));
            return;
        }

        if (!IsUsable(key))
        {
            await http.Fail(BadKey, time);
            return;
        }

        var scope = $"{principal} {http.Request.Method} {http.Request.Path}{http.Request.QueryString}";
        if (!atWork.TryAdd((scope, key), true))
        {
            await http.Fail(InProgress, time);
            return;
        }

        try
        {
            await AnswerOnce(http, new IdempotentRequest(scope, key, JsonBody.HashOf(http)), write, render);
        }
        finally
        {
            atWork.TryRemove((scope, key), out _);
        }
    }

    private async Task AnswerOnce<T>(HttpContext http, IdempotentRequest request, Func<IdempotentWrite<T>?, Task<T>> write, Func<T, Reply> render)
    {
        if (await Replay(http, request))
        {
            return;
        }

        try
        {
            // Refusals for load and faults of ours are not answers to keep.
            var once = new IdempotentWrite<T>(store, request, outcome => render(outcome) is { Status: < 500 and not 429 } reply ? reply : null);
            await Send(http, render(await write(once)));
        }
        catch (IdempotencyConflictException e)
        {
            if (!e.IsDone || !await Replay(http, request))
            {
                await http.Fail(InProgress, time);
            }
        }
    }

    /// <summary>Answers as before, or says that the key is taken; false when the key is new.</summary>
    private async Task<bool> Replay(HttpContext http, IdempotentRequest request)
    {
        switch (await store.Look(request, http.RequestAborted))
        {
            case IdempotencyState.Done done:
                http.Response.Headers["Idempotency-Replayed"] = "true";
                await Send(http, done.Reply);
                return true;
            case IdempotencyState.OtherBody:
                await http.Fail(KeyReused, time);
                return true;
            default:
                return false;
        }
    }

    private static Task Send(HttpContext http, Reply reply)
    {
        http.Response.Headers.CacheControl = "no-store";
        return http.Answer(reply.Status, reply.Body);
    }

    private static bool IsUsable(string key) => key.Length is > 0 and <= MaxKey && key.All(c => c is > ' ' and <= '~');
}
