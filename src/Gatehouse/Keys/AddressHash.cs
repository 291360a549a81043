using System.Security.Cryptography;
using System.Text;

namespace Gatehouse.Keys;

/// <summary>A keyed hash of an e-mail address: tells that two are the same, in throttle keys and audit rows, without telling which it is.</summary>
public static class AddressHash
{
    /// <summary>The hash of a normalised address, 32 hex digits.</summary>
    public static string HashAddress(this KeyRing keys, string address)
    {
        ArgumentNullException.ThrowIfNull(keys);
        return Convert.ToHexStringLower(
            HMACSHA256.HashData(keys.Current.Derive("address-hash"), Encoding.UTF8.GetBytes(address)).AsSpan(0, 16));
    }
}
