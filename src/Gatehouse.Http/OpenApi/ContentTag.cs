using System.Security.Cryptography;

namespace Gatehouse.Http.OpenApi;

/// <summary>Entity tags of bodies that stay the same while the process runs.</summary>
internal static class ContentTag
{
    /// <summary>The tag of these bytes (RFC 9110 §8.8.3).</summary>
    public static string Of(ReadOnlySpan<byte> content) => $"\"{Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 8))}\"";
}
