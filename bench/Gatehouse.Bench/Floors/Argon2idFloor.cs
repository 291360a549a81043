using System.Diagnostics;
using Gatehouse.Bench.Load;
using Gatehouse.Passwords;

namespace Gatehouse.Bench.Floors;

/// <summary>Argon2id by itself: 19 MiB, 2 passes, one after the other, through the product's own call into libargon2.</summary>
internal static class Argon2idFloor
{
    public static Sample Run(TimeSpan window)
    {
        var options = new PasswordOptions();
        var password = "correct horse battery staple"u8;
        var salt = "0123456789abcdef"u8;
        Span<byte> tag = stackalloc byte[32];
        var latencies = new List<long>();
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < window)
        {
            var began = Stopwatch.GetTimestamp();
            Libargon2.Argon2id(options.Passes, options.MemoryKiB, parallelism: 1, password, salt, tag);
            latencies.Add(Stopwatch.GetTimestamp() - began);
        }

        return Sample.Of([.. latencies], Stopwatch.GetElapsedTime(start), errors: 0);
    }
}
