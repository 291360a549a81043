using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Gatehouse.Passwords;

/// <summary>The reference implementation of Argon2, as the operating system ships and patches it.</summary>
internal static unsafe partial class Libargon2
{
    private const string Name = "argon2";
    private const int Argon2id13 = 0x13;
    private const int TypeId = 2;
    private const int OutOfMemory = -22;

    // The library rounds less memory up to this many KiB for each lane.
    private const int LeastPerLane = 8;

    static Libargon2()
    {
        var file = OperatingSystem.IsWindows() ? "argon2.dll" : OperatingSystem.IsMacOS() ? "libargon2.dylib" : "libargon2.so.1";
        IsAvailable = NativeLibrary.TryLoad(file, out var handle);
        NativeLibrary.SetDllImportResolver(
            Assembly.GetExecutingAssembly(),
            (name, _, _) => name.Equals(Name, StringComparison.Ordinal) ? handle : IntPtr.Zero);
    }

    public static bool IsAvailable { get; }

    public static void Argon2id(
        int passes, int memoryKiB, int parallelism, ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, Span<byte> tag)
    {
        HashingMemory.Prepare(Math.Max(memoryKiB, LeastPerLane * parallelism) * 1024);
        fixed (byte* passwordAt = password, saltAt = salt, tagAt = tag)
        {
            var context = new Context
            {
                Tag = tagAt,
                TagLength = (uint)tag.Length,
                Password = passwordAt,
                PasswordLength = (uint)password.Length,
                Salt = saltAt,
                SaltLength = (uint)salt.Length,
                Passes = (uint)passes,
                MemoryKiB = (uint)memoryKiB,
                Lanes = (uint)parallelism,
                Threads = (uint)parallelism,
                Version = Argon2id13,
                Allocate = &Allocate,
                Free = &Free,

                // Flags stay 0: the library wipes its own memory anyway, and must not wipe our password, which may be constant.
            };
            var code = Hash(&context, TypeId);
            if (code != 0)
                throw new CryptographicException($"libargon2 refused to hash: {Marshal.PtrToStringUTF8(ErrorMessage(code))}");
        }
    }

    // Not through malloc: each thread that hashes keeps one block of large pages (see HashingMemory).
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Allocate(byte** memory, nuint size)
    {
        *memory = HashingMemory.Block(size);
        return *memory is null ? OutOfMemory : 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Free(byte* memory, nuint size)
    {
        // It stays with its thread; the library has wiped it.
    }

    [LibraryImport(Name, EntryPoint = "argon2_ctx")]
    private static partial int Hash(Context* context, int type);

    // The text is static inside the library, so it must not be marshalled as a string, which would free it.
    [LibraryImport(Name, EntryPoint = "argon2_error_message")]
    private static partial nint ErrorMessage(int code);

    /// <summary><c>argon2_context</c> of argon2.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Context
    {
        public byte* Tag;
        public uint TagLength;
        public byte* Password;
        public uint PasswordLength;
        public byte* Salt;
        public uint SaltLength;
        public byte* Secret;
        public uint SecretLength;
        public byte* AssociatedData;
        public uint AssociatedDataLength;
        public uint Passes;
        public uint MemoryKiB;
        public uint Lanes;
        public uint Threads;
        public uint Version;
        public delegate* unmanaged[Cdecl]<byte**, nuint, int> Allocate;
        public delegate* unmanaged[Cdecl]<byte*, nuint, void> Free;
        public uint Flags;
    }
}
