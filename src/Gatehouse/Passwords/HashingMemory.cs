using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Gatehouse.Passwords;

/// <summary>
/// The working memory of a hash, kept by the thread that hashes. Argon2 jumps about in it on purpose; in pages of 2 MiB, where Linux
/// has them, the processor finds its way some percent faster than in pages of 4 KiB.
/// </summary>
internal static unsafe partial class HashingMemory
{
    private const int LargePage = 2 * 1024 * 1024;
    private const int MadvHugePage = 14;

    // Pinned, so that its address holds while the thread does; the collector takes it when the thread ends.
    [ThreadStatic]
    private static byte[]? mine;

    /// <summary>Makes sure of a block of this size, before the library asks for it: in its call nothing may be thrown.</summary>
    public static void Prepare(int size)
    {
        if (mine is null || mine.Length < size + LargePage)
        {
            mine = GC.AllocateUninitializedArray<byte>(size + LargePage, pinned: true);
            if (OperatingSystem.IsLinux())
            {
                // Only advice: a kernel without large pages refuses it, and everything works as before.
                _ = Advise(Aligned(mine), (nuint)(size / LargePage * LargePage), MadvHugePage);
            }
        }
    }

    /// <summary>The thread's block, to be used for one hash at a time; null when it is smaller than this.</summary>
    public static byte* Block(nuint size) => mine is null || size > (nuint)(mine.Length - LargePage) ? null : Aligned(mine);

    private static byte* Aligned(byte[] block)
    {
        var address = (nuint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(block));
        return (byte*)((address + LargePage - 1) / LargePage * LargePage);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(byte* address, nuint length, int advice);
}
