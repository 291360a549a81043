using System.Runtime.CompilerServices;

namespace Gatehouse.Testing;

/// <summary>Waits for what only another thread or process can bring about: looks again and again, without a pause, for half a minute.</summary>
public static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static async Task Holds(Func<Task<bool>> holds, [CallerArgumentExpression(nameof(holds))] string what = "")
    {
        ArgumentNullException.ThrowIfNull(holds);
        var began = TimeProvider.System.GetTimestamp();
        while (!await holds())
        {
            if (TimeProvider.System.GetElapsedTime(began) > Patience)
            {
                throw new TimeoutException($"Still not so after {Patience.TotalSeconds} seconds: {what}");
            }

            await Task.Yield();
        }
    }

    public static Task Holds(Func<bool> holds, [CallerArgumentExpression(nameof(holds))] string what = "") =>
        Holds(() => Task.FromResult(holds()), what);
}
