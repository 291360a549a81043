using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Gatehouse.Passwords;

/// <summary>The reference implementation of Argon2, as the operating system ships and patches it.</summary>
internal static partial class Libargon2
{
    private const string Name = "argon2";

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
        var code = HashRaw(
            (uint)passes, (uint)memoryKiB, (uint)parallelism,
            password, (nuint)password.Length, salt, (nuint)salt.Length, tag, (nuint)tag.Length);
        if (code != 0)
            throw new CryptographicException($"libargon2 refused to hash: {Marshal.PtrToStringUTF8(ErrorMessage(code))}");
    }

    [LibraryImport(Name, EntryPoint = "argon2id_hash_raw")]
    private static partial int HashRaw(
        uint passes, uint memoryKiB, uint parallelism,
        ReadOnlySpan<byte> password, nuint passwordLength, ReadOnlySpan<byte> salt, nuint saltLength, Span<byte> tag, nuint tagLength);

    // The text is static inside the library, so it must not be marshalled as a string, which would free it.
    [LibraryImport(Name, EntryPoint = "argon2_error_message")]
    private static partial nint ErrorMessage(int code);
}
