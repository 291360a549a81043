using Gatehouse.Users;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gatehouse.Http.Surfaces.Internal;

/// <summary>Blocks users and addresses, and lets them in again.</summary>
public sealed class InternalBlocks(BlockUser block, HttpOptions options, TimeProvider time)
{
    /// <summary>Maps the routes below <c>/api/v1/internal</c>.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/user-blocks", Block);
        routes.MapDelete("/user-blocks/{target}", Unblock);
    }

    private async Task Block(HttpContext http)
    {
        if (await http.ReadBody(BlockBody.Read, time) is not { } body)
        {
            return;
        }

        var outcome = await block.Block(
            body.Target, body.Mutation.ReasonCode, body.Mutation.Actor, http.Origin(options), http.RequestAborted);
        await (outcome is EndUserOutcome.Done done
            ? http.Answer(200, AffectedAnswer.Of(done.Sessions), InternalJson.Default.AffectedAnswer)
            : http.Fail(ApiError.NotFound, time));
    }

    private async Task Unblock(HttpContext http)
    {
        if (await http.ReadBody(MutationBody.Read, time) is not { } body)
        {
            return;
        }

        var text = http.Request.RouteValues["target"] as string ?? "";
        var found = text.Length <= EmailAddress.MaxLength
            && !text.Contains('\0', StringComparison.Ordinal)
            && await block.Unblock(BlockTarget.Parse(text), body.ReasonCode, body.Actor, http.Origin(options), http.RequestAborted);
        await (found
            ? http.Answer(200, AffectedAnswer.Of([]), InternalJson.Default.AffectedAnswer)
            : http.Fail(ApiError.NotFound, time));
    }

    /// <summary><c>POST user-blocks</c>: exactly one of <c>user_id</c> and <c>email</c>.</summary>
    private sealed record BlockBody(BlockTarget Target, MutationBody Mutation)
    {
        public static BlockBody Read(JsonFields fields)
        {
            var userId = fields.OptionalText("user_id", 64);
            var email = fields.OptionalText("email", EmailAddress.MaxLength);
            if (userId is null == email is null)
            {
                fields.Refuse("user_id", "send exactly one of user_id and email.");
            }
            else if (email is not null && !EmailAddress.IsPlausible(email))
            {
                fields.Refuse("email", "is not an e-mail address.");
            }

            // Ids are opaque: one that is no UUID belongs to nobody.
            var target = email is not null
                ? BlockTarget.Address(email)
                : BlockTarget.User(Guid.TryParseExact(userId, "D", out var id) ? id : Guid.Empty);
            return new(target, MutationBody.Read(fields));
        }
    }
}
