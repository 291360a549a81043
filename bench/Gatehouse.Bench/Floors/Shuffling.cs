namespace Gatehouse.Bench.Floors;

/// <summary>The same disorder in every run.</summary>
internal static class Shuffling
{
    public static void Shuffle<T>(this List<T> items)
    {
        var random = new Random(20260118);
        for (var i = items.Count - 1; i > 0; i--)
        {
            var other = random.Next(i + 1);
            (items[i], items[other]) = (items[other], items[i]);
        }
    }
}
