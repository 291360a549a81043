using System.Security.Cryptography;
using System.Text;

namespace Gatehouse.Keys;

/// <summary>The 32 bytes that seal every key in the database (AES-256-GCM, NIST SP 800-38D); kept apart from the database.</summary>
public sealed class MasterKey
{
    /// <summary>The environment variable that holds the key as base64.</summary>
    public const string Variable = "GATEHOUSE_MASTER_KEY";

    /// <summary>The file in the data folder that holds the key as base64.</summary>
    public const string FileName = "master.key";

    private const int KeyLength = 32;
    private const byte Format = 1;
    private const int Attempts = 250;
    private static readonly int NonceLength = AesGcm.NonceByteSizes.MaxSize;
    private static readonly int TagLength = AesGcm.TagByteSizes.MaxSize;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly byte[] key;

    private MasterKey(byte[] key) => this.key = key;

    /// <summary>Reads a key written as base64.</summary>
    public static MasterKey FromText(string text) => FromText(text, Variable);

    /// <summary>
    /// The key of the environment, or else of the file. A missing file is made only if <paramref name="mayCreate"/>, that is
    /// when the database holds no keys yet; processes that start at once on one folder end with one key.
    /// </summary>
    public static async Task<MasterKey> Load(
        string dataFolder, string? fromEnvironment, bool mayCreate, Randomness random, TimeProvider time, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(dataFolder);
        ArgumentNullException.ThrowIfNull(random);
        if (!string.IsNullOrWhiteSpace(fromEnvironment))
        {
            return FromText(fromEnvironment, Variable);
        }

        var file = Path.Combine(dataFolder, FileName);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return Read(file) is { } text ? FromText(text, file) : mayCreate ? Create(file, random) : throw Missing(file);
            }
            catch (IOException) when (attempt < Attempts && File.Exists(file))
            {
                // Another process holds the file while it writes the key; it is done in a moment.
            }

            await Task.Delay(Pause, time, ct);
        }
    }

    /// <summary>Encrypts a key; its use and number are authenticated with it, so that rows cannot be exchanged.</summary>
    internal byte[] Seal(KeyUse use, long number, ReadOnlySpan<byte> plain, Randomness random)
    {
        var box = new byte[1 + NonceLength + plain.Length + TagLength];
        box[0] = Format;
        var nonce = box.AsSpan(1, NonceLength);
        random.Fill(nonce);
        using var aes = new AesGcm(key, TagLength);
        aes.Encrypt(nonce, plain, box.AsSpan(1 + NonceLength, plain.Length), box.AsSpan(box.Length - TagLength), Context(use, number));
        return box;
    }

    /// <summary>Decrypts a sealed key, or throws <see cref="KeyException"/>.</summary>
    internal byte[] Open(KeyUse use, long number, ReadOnlySpan<byte> box)
    {
        if (box.Length < 1 + NonceLength + TagLength || box[0] != Format)
        {
            throw DoesNotOpen(number);
        }

        var plain = new byte[box.Length - 1 - NonceLength - TagLength];
        using var aes = new AesGcm(key, TagLength);
        try
        {
            var cipher = box.Slice(1 + NonceLength, plain.Length);
            aes.Decrypt(box.Slice(1, NonceLength), cipher, box[^TagLength..], plain, Context(use, number));
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw DoesNotOpen(number, e);
        }

        return plain;
    }

    private static byte[] Context(KeyUse use, long number) =>
        Encoding.UTF8.GetBytes(string.Create(null, $"gatehouse key {KeyStore.Text(use)} {number}"));

    private static MasterKey FromText(string text, string source)
    {
        ArgumentNullException.ThrowIfNull(text);
        var bytes = new byte[KeyLength];
        return Convert.TryFromBase64String(text.Trim(), bytes, out var written) && written == KeyLength
            ? new MasterKey(bytes)
            : throw new KeyException($"{source} must hold {KeyLength} bytes as base64 (for example: openssl rand -base64 {KeyLength}).");
    }

    /// <summary>The file's text, or null when there is none yet.</summary>
    private static string? Read(string file)
    {
        try
        {
            var text = File.ReadAllText(file);
            return string.IsNullOrWhiteSpace(text) ? null : text;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    // The exclusive lock makes the second process wait, and a file left empty by a crash is simply filled by the next start.
    // A rename would not do: the runtime's own "move without overwrite" checks first and renames afterwards.
    private static MasterKey Create(string file, Randomness random)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var stream = new FileStream(file, options);
        using var reader = new StreamReader(stream, Encoding.ASCII);
        var present = reader.ReadToEnd();
        if (!string.IsNullOrWhiteSpace(present))
        {
            return FromText(present, file);
        }

        var made = new MasterKey(random.Bytes(KeyLength));
        stream.SetLength(0);
        stream.Write(Encoding.ASCII.GetBytes(Convert.ToBase64String(made.key) + "\n"));
        stream.Flush(flushToDisk: true);
        return made;
    }

    private static KeyException Missing(string file) => new(
        $"The database holds keys, but there is no master key: neither {Variable} nor {file}. Restore the master key from its backup.");

    private static KeyException DoesNotOpen(long number, Exception? inner = null) => new(
        $"The master key does not open the keys of this database (key {number}). Use the master key they were made with.", inner);
}
