using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Gatehouse.Keys;

namespace Gatehouse.Challenges;

/// <summary>Codes are derived from the challenge under a server key when they are needed: nobody can read one from the database.</summary>
public sealed class ChallengeCodes(KeyRing keys)
{
    internal const int UsualDigits = 6;

    /// <summary>The length for an address at which somebody keeps guessing: nobody is locked out, but guessing is hopeless.</summary>
    internal const int LongDigits = 10;

    /// <summary>The code of a root.</summary>
    public string Derive(Guid rootId, string purpose, string address, int digits)
    {
        var text = Encoding.UTF8.GetBytes($"{rootId}\n{purpose}\n{address}");
        var mac = HMACSHA256.HashData(keys.Current.Derive("challenge-code"), text);
        var number = (long)(BinaryPrimitives.ReadUInt64BigEndian(mac) % (ulong)Math.Pow(10, digits));
        return number.ToString($"D{digits}", CultureInfo.InvariantCulture);
    }

    /// <summary>Whether the code is right; takes the same time wherever it differs.</summary>
    internal bool IsRight(Challenge challenge, string code) => CryptographicOperations.FixedTimeEquals(
        Encoding.UTF8.GetBytes(Derive(challenge.RootId, challenge.Purpose, challenge.Address, challenge.Digits)),
        Encoding.UTF8.GetBytes(code));
}
