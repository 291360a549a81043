using System.Buffers.Text;
using System.Text.Json;

namespace Gatehouse.Testing;

/// <summary>Looks into tokens without checking them.</summary>
public static class Jwt
{
    public static JsonElement Header(string token) => Part(token, 0);

    public static JsonElement Claims(string token) => Part(token, 1);

    private static JsonElement Part(string token, int index)
    {
        ArgumentNullException.ThrowIfNull(token);
        return JsonDocument.Parse(Base64Url.DecodeFromChars(token.Split('.')[index])).RootElement;
    }
}
