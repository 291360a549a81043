using System.Globalization;

namespace Gatehouse.Server.Commands;

/// <summary>How values look in a terminal.</summary>
internal static class Shown
{
    /// <summary>A time in UTC; nothing for one that has not come.</summary>
    public static string? Time(long milliseconds) => milliseconds == 0
        ? null
        : DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>A count or a number.</summary>
    public static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Text from outside, without what would move the cursor or change colours.</summary>
    public static string Text(string text) => text.Any(char.IsControl)
        ? string.Concat(text.Select(c => char.IsControl(c) ? '\uFFFD' : c))
        : text;
}
