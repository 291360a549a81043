using System.Globalization;
using Gatehouse.Audit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Gatehouse.Http.Surfaces.Internal;

/// <summary>The audit trail for trusted services, newest first, page by page.</summary>
public sealed class InternalAudit(ReadAudit audit, TimeProvider time)
{
    private const int UsualPage = 100;
    private const int LargestPage = 1000;

    private static readonly string[] Known = ["user_id", "session_id", "action", "limit", "cursor"];

    /// <summary>Maps the route below <c>/api/v1/internal</c>.</summary>
    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/audit", Read);

    private async Task Read(HttpContext http)
    {
        var problems = new List<FieldProblem>();
        var query = http.Request.Query;
        foreach (var name in query.Keys.Where(name => !Known.Contains(name, StringComparer.Ordinal)))
        {
            problems.Add(new(name, "is not known here."));
        }

        var filter = new AuditFilter(
            ReadId(query, "user_id", problems), ReadId(query, "session_id", problems), ReadText(query, "action", problems));
        var cursor = ReadId(query, "cursor", problems);
        var limit = ReadLimit(query, problems);
        if (problems.Count > 0)
        {
            await http.Fail(ApiError.Invalid(problems), time);
            return;
        }

        // One more than asked for tells whether there are more.
        var rows = await audit.Before(cursor, filter, limit + 1, http.RequestAborted);
        var page = rows.Take(limit).ToList();
        var answer = new AuditAnswer([.. page.Select(AuditEventView.Of)], rows.Count > limit ? page[^1].Id : null);
        http.Response.Headers.CacheControl = "no-store";
        await http.Answer(200, answer, InternalJson.Default.AuditAnswer);
    }

    private static string? ReadText(IQueryCollection query, string name, List<FieldProblem> problems)
    {
        var values = query[name];
        if (values.Count > 1 || values.ToString() is { Length: > 64 } || values.ToString().Contains('\0', StringComparison.Ordinal))
        {
            problems.Add(new(name, "must be one text of at most 64 characters."));
            return null;
        }

        return values.Count == 0 ? null : values.ToString();
    }

    private static Guid? ReadId(IQueryCollection query, string name, List<FieldProblem> problems)
    {
        if (ReadText(query, name, problems) is not { } text)
        {
            return null;
        }

        if (!Guid.TryParseExact(text, "D", out var id))
        {
            problems.Add(new(name, "must be a UUID."));
        }

        return id;
    }

    private static int ReadLimit(IQueryCollection query, List<FieldProblem> problems)
    {
        if (ReadText(query, "limit", problems) is not { } text)
        {
            return UsualPage;
        }

        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) || limit is < 1 or > LargestPage)
        {
            problems.Add(new("limit", $"must be a whole number from 1 to {LargestPage}."));
        }

        return limit;
    }
}

/// <summary>A page of the trail; <c>next_cursor</c> is null on the last.</summary>
public sealed record AuditAnswer(IReadOnlyList<AuditEventView> Events, Guid? NextCursor);

/// <summary>A line of the trail. Times are ISO 8601 in UTC.</summary>
public sealed record AuditEventView(
    Guid Id,
    string At,
    string Action,
    string Outcome,
    Guid? UserId,
    Guid? SessionId,
    Guid? TenantId,
    AuditActor Actor,
    string RequestId,
    string Ip,
    string AddressHash,
    string Details)
{
    internal static AuditEventView Of(AuditRow row) => new(
        row.Id,
        Wire.Time(row.At),
        row.Action,
        row.Outcome,
        row.UserId,
        row.SessionId,
        row.TenantId,
        new AuditActor(row.Actor.Type, row.Actor.Id),
        row.RequestId,
        row.Ip,
        row.AddressHash,
        row.Details);
}

/// <summary>Who did it.</summary>
public sealed record AuditActor(string Type, string Id);
