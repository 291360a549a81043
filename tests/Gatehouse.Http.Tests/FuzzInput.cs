using System.Net.Http.Headers;
using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Gatehouse.Http.Tests;

/// <summary>A request that nobody in their right mind would send.</summary>
internal sealed record FuzzRequest(HttpMethod Method, string Path, byte[]? Body, bool IsSignedIn, (string Name, string Value)[] Headers)
{
    public HttpContent? Content() => Body is null
        ? null
        : new ByteArrayContent(Body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };

    /// <summary>What a failure prints.</summary>
    public override string ToString() =>
        $"{Method} {Path} {(IsSignedIn ? "signed in" : "")}\n{string.Join('\n', Headers.Select(h => $"{h.Name}: {h.Value}"))}\n"
        + (Body is null ? "no body" : $"{Encoding.UTF8.GetString(Body)}\n{Convert.ToHexString(Body)}");
}

/// <summary>Makes tokens, JSON and headers that are nearly right, and some that are not right at all.</summary>
internal static class FuzzInput
{
    private static readonly string[] Names =
    [
        "email", "password", "rememberMe", "refreshToken", "token", "exceptCurrent", "locale", "timezone", "dateFormat", "timeFormat", "",
        "__proto__", "Email", "e\\u006dail", "\\ud800", "\\u0000",
    ];

    private static readonly string[] Scalars =
    [
        "null", "true", "false", "0", "-0", "1e400", "-1e-400", "01", "9223372036854775808", "0.1", "NaN", "\"\"", "\" \"", "\"24h\"", "\"12h\"",
        "\"de-DE\"", "\"Europe/Berlin\"", "\"a@b\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\ud83d\\ude00\"", "\"\u202E\"",
        "\"İ@example.com\"", "\"' OR 1=1 --\"", "\"%00\"", "\"../..\"", "\"rt_AAAA\"", "\"\t\"", "\"\\x\"", "'a'", "{}", "[]",
    ];

    private static readonly string[] Pieces =
    [
        "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u", "\\ud800", "\\u0000", "null", "1e400", "\0", "é", "\uFEFF", "//", "/*", " ", "\n", "\"a\":1,",
    ];

    private static readonly string[] Words =
    [
        "Bearer ", "Basic ", "bearer", "a.b.c", "eyJhbGciOiJub25lIn0..", "rt_", "=", ",", ";q=", "0.5", "1e9", "*", "W/", "\"", "\"\"", "de", "en-GB",
        "x-klingon", "127.0.0.1", "::1", "[::1]:80", "::ffff:1.2.3.4", "999.1.1.1", "fe80::1%eth0", "unknown", "_hidden", "é", "😀", "\u00A0", "\t", " ",
        "%00", "${jndi:x}", "' OR 1=1 --", "<script>", "\u007F", "\u0001", "9999999999999999999", "-1", "2026-01-18", new('a', 300),
    ];

    private static readonly string[] HeaderNames =
    [
        "Authorization", "X-Request-ID", "Idempotency-Key", "X-Idempotency-Key", "Accept-Language", "User-Agent", "X-Forwarded-For",
        "X-Forwarded-Proto", "If-None-Match", "Accept", "Origin", "Cookie",
    ];

    private static readonly Gen<string> Json = JsonOf(3);

    private static readonly Gen<(string Name, string Value)[]> Headers =
        from count in Gen.Frequency((2, Gen.Constant(0)), (3, Gen.Choose(1, 4)))
        from headers in Header.ListOf(count)
        select headers.DistinctBy(header => header.Name).ToArray();

    private static Gen<(string Name, string Value)> Header =>
        from name in Gen.Elements(HeaderNames)
        from words in Gen.Elements(Words).ListOf(4)
        from count in Gen.Choose(0, 4)
        select (name, string.Concat(words.Take(count)));

    /// <summary>A token with some letters changed, or no token at all.</summary>
    public static Gen<string> Tokens(string genuine) => Gen.Frequency(
        (6, Mutations(Encoding.ASCII.GetBytes(genuine)).Select(Encoding.Latin1.GetString)),
        (1, Gen.Elements(Words).ListOf(6).Select(string.Concat)),
        (1, from cut in Gen.Choose(0, genuine.Length)
            from more in Gen.Elements(Words)
            select genuine[cut..] + more + genuine[..cut]));

    /// <summary>Requests of somebody with this address and token, to every route that takes input.</summary>
    public static Gen<FuzzRequest> Requests(string email, string refreshToken)
    {
        const string auth = "/api/v1/auth";
        const string preferences = "/api/v1/users/me/preferences";
        (HttpMethod Method, string Path, string? Body)[] routes =
        [
            (HttpMethod.Post, $"{auth}/login", $$"""{"email":"{{email}}","password":"SecureP@ssw0rd123","rememberMe":true}"""),
            (HttpMethod.Post, "/v2/auth/login", $$"""{"email":"{{email}}","password":"wrong"}"""),
            (HttpMethod.Post, $"{auth}/refresh", $$"""{"refreshToken":"{{refreshToken}}"}"""),
            (HttpMethod.Post, "/v2/auth/refresh", $$"""{"refreshToken":"{{refreshToken}}"}"""),
            (HttpMethod.Post, $"{auth}/logout", $$"""{"refreshToken":"{{refreshToken}}"}"""),
            (HttpMethod.Post, $"{auth}/revoke", """{"token":"rt_junk"}"""),
            (HttpMethod.Post, $"{auth}/logout-all", """{"exceptCurrent":true}"""),
            (HttpMethod.Patch, preferences, """{"locale":"de-DE","timezone":"Europe/Berlin","dateFormat":"DD.MM.YYYY","timeFormat":"24h"}"""),
            (HttpMethod.Get, $"{auth}/me", null),
            (HttpMethod.Get, $"{auth}/sessions", null),
            (HttpMethod.Delete, $"{auth}/sessions/019bc0de-0000-7000-8000-0123456789ac", null),
            (HttpMethod.Get, "/api/v1/ui/bootstrap", null),
            (HttpMethod.Get, preferences, null),
        ];
        return from route in Gen.Elements(routes)
               from body in route.Body is null ? Gen.Constant(default(byte[])) : BodyLike(route.Body)
               from isSignedIn in Gen.Elements(true, true, false)
               from headers in Headers
               select new FuzzRequest(
                   route.Method,
                   route.Path,
                   body,
                   isSignedIn,
                   [.. headers.Where(header => !isSignedIn || header.Name != "Authorization")]);
    }

    private static Gen<byte[]?> BodyLike(string valid) => Gen.Frequency(
        (3, Mutations(Encoding.UTF8.GetBytes(valid)).Select(bytes => (byte[]?)bytes)),
        (3, Json.Select(text => (byte[]?)Encoding.UTF8.GetBytes(text))),
        (1, Gen.Constant((byte[]?)Encoding.UTF8.GetBytes(valid))));

    private static Gen<string> JsonOf(int depth)
    {
        var scalar = Gen.Elements(Scalars);
        if (depth == 0)
        {
            return scalar;
        }

        var inner = JsonOf(depth - 1);
        var member =
            from name in Gen.Elements(Names)
            from value in inner
            select $"\"{name}\":{value}";
        return Gen.Frequency(
            (2, scalar),
            (5, from members in member.ListOf(4)
                from count in Gen.Choose(0, 4)
                select $"{{{string.Join(',', members.Take(count))}}}"),
            (1, inner.ListOf(2).Select(values => $"[{string.Join(',', values)}]")));
    }

    private static Gen<byte[]> Mutations(byte[] bytes) =>
        from seed in Gen.Choose(0, int.MaxValue - 1)
        select Mutate(new Random(seed), bytes);

    private static byte[] Mutate(Random random, byte[] bytes)
    {
        var list = bytes.ToList();
        for (var n = random.Next(1, 4); n > 0 && list.Count > 0; n--)
        {
            var at = random.Next(list.Count);
            switch (random.Next(6))
            {
                case 0:
                    list[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    list.RemoveAt(at);
                    break;
                case 2:
                    list.InsertRange(at, Encoding.UTF8.GetBytes(Pieces[random.Next(Pieces.Length)]));
                    break;
                case 3:
                    list.RemoveRange(at, Math.Min(random.Next(20), list.Count - at));
                    break;
                case 4:
                    list[at] = (byte)"Aa0-_"[random.Next(5)];
                    break;
                default:
                    list.InsertRange(at, list.GetRange(random.Next((list.Count / 2) + 1), list.Count / 4));
                    break;
            }
        }

        return [.. list];
    }
}
