using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Gatehouse;

/// <summary>The one source of ids and secrets, injected so that a test can replay every race.</summary>
public class Randomness(TimeProvider time)
{
    /// <summary>Fills the span with unpredictable bytes.</summary>
    public virtual void Fill(Span<byte> bytes) => RandomNumberGenerator.Fill(bytes);

    /// <summary>A fresh secret of the given length.</summary>
    public byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        Fill(bytes);
        return bytes;
    }

    /// <summary>A time-ordered id (RFC 9562 §5.7), so that rows created together sit together in the index.</summary>
    public Guid NewId()
    {
        Span<byte> bytes = stackalloc byte[16];
        Fill(bytes);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)(now >> 32));
        BinaryPrimitives.WriteUInt32BigEndian(bytes[2..], (uint)now);
        bytes[6] = (byte)(0x70 | (bytes[6] & 0x0F));
        bytes[8] = (byte)(0x80 | (bytes[8] & 0x3F));
        return new Guid(bytes, bigEndian: true);
    }
}
