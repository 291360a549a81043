using System.Text;
using System.Text.Json;
using Gatehouse.Tokens;
using Xunit;

namespace Gatehouse.Tests.Tokens;

/// <summary>The codec answers every input; it never throws, and what it takes it writes back the same.</summary>
public sealed class JwtCodecFuzzTests
{
    private const int Rounds = 30_000;

    private static readonly string[] Pieces =
        ["{", "}", "[", "]", ":", ",", "\"", "\\", "\\ud800", "\\u0000", "null", "1e400", "-0", "\0", "é", "\"exp\"", "\"cnf\":{", "//", "/*", " "];

    [Fact]
    public void Mutated_claims_are_taken_or_refused_but_never_throw()
    {
        var random = new Random(71205);
        var taken = 0;
        for (var i = 0; i < Rounds; i++)
        {
            var json = Mutate(random, Encoding.UTF8.GetBytes(Forge.Claims.Trim()));
            if (!JwtCodec.TryReadClaims(json, Forge.Issuer, out var token))
            {
                continue;
            }

            taken++;
            using var stream = new MemoryStream();
            using var writer = new Utf8JsonWriter(stream);
            JwtCodec.WriteClaims(writer, token!);
            writer.Flush();
            Assert.True(JwtCodec.TryReadClaims(stream.ToArray(), Forge.Issuer, out var again));
            Assert.Equal(token, again);
        }

        Assert.InRange(taken, 1, Rounds / 2);
    }

    [Fact]
    public void Mutated_headers_and_tokens_are_taken_or_refused_but_never_throw()
    {
        var random = new Random(71206);
        var header = Encoding.ASCII.GetBytes("""{"alg":"ES256","typ":"at+jwt","kid":"k"}""");
        for (var i = 0; i < Rounds; i++)
        {
            var encoded = Encoding.ASCII.GetBytes(System.Buffers.Text.Base64Url.EncodeToString(Mutate(random, header)));
            if (JwtCodec.TryReadHeader(encoded, out var kid))
            {
                Assert.NotNull(kid);
            }

            JwtCodec.TryReadHeader(Mutate(random, encoded), out _);
            JwtCodec.TrySplit(Mutate(random, "aaaa.bbbb.cccc"u8.ToArray()), out _);
        }
    }

    private static byte[] Mutate(Random random, byte[] bytes)
    {
        var list = bytes.ToList();
        for (var n = random.Next(1, 4); n > 0; n--)
        {
            var at = random.Next(list.Count);
            switch (random.Next(5))
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
                default:
                    list.InsertRange(at, list.GetRange(random.Next(list.Count / 2), list.Count / 4));
                    break;
            }

            if (list.Count == 0)
            {
                list.Add(0);
            }
        }

        return [.. list];
    }
}
