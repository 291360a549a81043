using System.Globalization;
using Gatehouse.Storage;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Tests.Storage;

public sealed class ValueTests
{
    private static readonly Sql Put = new("""
        INSERT INTO scratch (scratch_id, note, number, guid, bytes) VALUES (@id, @text, @number, @guid, @bytes)
        RETURNING note, number, guid, bytes
        """);

    private static readonly Sql Get = new("SELECT note, number, guid, bytes FROM scratch WHERE scratch_id = @id");
    private static readonly Sql FindText = new("SELECT scratch_id FROM scratch WHERE note = @text");
    private static readonly Sql FindGuid = new("SELECT scratch_id FROM scratch WHERE guid = @guid");

    private static readonly string?[] Texts =
        [null, "", " ", "a'b\"c;--", "Grüße €  \u0001\t\r\n", "😀 \ud83d\udc69\u200d\ud83d\udcbb", "e\u0301 é", new string('ß', 100_000)];

    private static readonly long?[] Numbers = [null, 0, 1, -1, int.MaxValue + 1L, long.MinValue, long.MaxValue];

    private static readonly Guid?[] Guids = [null, Guid.Empty, Guid.AllBitsSet, Guid.Parse("00112233-4455-6677-8899-aabbccddeeff")];

    private static readonly byte[]?[] Byteses = [null, [], [0], [0, 0], [.. Enumerable.Range(0, 256).Select(i => (byte)i)]];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    public async Task Every_kind_of_value_comes_back_as_it_went_in(Engine engine)
    {
        await using var scratch = await ScratchTable.Create(engine);
        var db = scratch.Database;
        for (var i = 0; i < 40; i++)
        {
            var (text, number) = (Texts[i % Texts.Length], Numbers[i % Numbers.Length]);
            var (guid, bytes) = (Guids[i % Guids.Length], Byteses[i % Byteses.Length]);
            var stored = await db.QueryOne(
                Put, Read, Ct, ("id", i), ("text", text), ("number", number), ("guid", guid), ("bytes", bytes));
            Same(stored);
            Same(await db.QueryOne(Get, Read, Ct, ("id", i)));

            void Same(Values? got)
            {
                Assert.NotNull(got);
                Assert.Equal((text, number, guid), (got.Text, got.Number, got.Guid));
                Assert.Equal(bytes, got.Bytes);
            }
        }
    }

    [Theory]
    [BothEngines]
    public async Task Values_are_found_by_what_they_are(Engine engine)
    {
        await using var scratch = await ScratchTable.Create(engine);
        var db = scratch.Database;
        var guid = Guid.Parse("00112233-4455-6677-8899-aabbccddeeff");
        await db.QueryOne(Put, Read, Ct, ("id", 1), ("text", "Ä"), ("number", true), ("guid", guid), ("bytes", (byte[]?)null));

        Assert.Equal(1, await db.QueryOne(FindText, row => row.Int(0), Ct, ("text", "Ä")));
        Assert.Equal(0, await db.QueryOne(FindText, row => row.Int(0), Ct, ("text", "ä")));
        Assert.Equal(1, await db.QueryOne(FindGuid, row => row.Int(0), Ct, ("guid", guid)));
        Assert.True(await db.QueryOne(Get, row => row.Flag(1), Ct, ("id", 1)));
        Assert.Null(await db.QueryOne(FindText, row => row.Long(0).ToString(CultureInfo.InvariantCulture), Ct, ("text", "none")));
    }

    private static Values Read(Row row) => new(
        row.TextOrNull(0), row.LongOrNull(1), row.IdOrNull(2), row.IsNull(3) ? null : row.Bytes(3));

    private sealed record Values(string? Text, long? Number, Guid? Guid, byte[]? Bytes);
}
