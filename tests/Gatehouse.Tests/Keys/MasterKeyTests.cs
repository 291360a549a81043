using Gatehouse.Keys;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Tests.Keys;

public sealed class MasterKeyTests : IDisposable
{
    private static readonly Randomness Random = new(new ManualTime());

    private readonly string folder = Directory.CreateTempSubdirectory("gatehouse-master-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void What_is_sealed_opens_again()
    {
        var box = KeyFixture.Master.Seal(KeyUse.Refresh, 3, [1, 2, 3], Random);

        Assert.Equal([1, 2, 3], KeyFixture.Master.Open(KeyUse.Refresh, 3, box));
        Assert.NotEqual(box, KeyFixture.Master.Seal(KeyUse.Refresh, 3, [1, 2, 3], Random));
    }

    [Fact]
    public void A_sealed_key_opens_only_under_its_own_use_and_number_and_unchanged()
    {
        var box = KeyFixture.Master.Seal(KeyUse.Refresh, 3, [1, 2, 3], Random);

        Assert.Throws<KeyException>(() => KeyFixture.Master.Open(KeyUse.Secret, 3, box));
        Assert.Throws<KeyException>(() => KeyFixture.Master.Open(KeyUse.Refresh, 4, box));
        Assert.Throws<KeyException>(() => KeyFixture.Master.Open(KeyUse.Refresh, 3, box.AsSpan(0, 20)));
        for (var i = 0; i < box.Length; i++)
        {
            var changed = (byte[])box.Clone();
            changed[i] ^= 1;
            Assert.Throws<KeyException>(() => KeyFixture.Master.Open(KeyUse.Refresh, 3, changed));
        }
    }

    [Theory]
    [InlineData("not base64")]
    [InlineData("AAAA")]
    [InlineData("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gIQ==")]
    public void A_text_that_is_not_32_bytes_is_refused_with_the_name_of_the_variable(string text)
    {
        var error = Assert.Throws<KeyException>(() => MasterKey.FromText(text));

        Assert.Contains("GATEHOUSE_MASTER_KEY", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(text, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_environment_wins_and_makes_no_file()
    {
        var key = await Load(KeyFixture.MasterText, mayCreate: true);

        Assert.Empty(Directory.GetFiles(folder));
        Assert.True(IsSame(key, KeyFixture.Master));
    }

    [Fact]
    public async Task A_file_is_made_once_for_its_owner_alone()
    {
        var made = await Load(null, mayCreate: true);
        var read = await Load(null, mayCreate: false);

        Assert.True(IsSame(made, read));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(folder, MasterKey.FileName)));
        }
    }

    [Fact]
    public async Task A_missing_file_is_not_replaced_where_keys_exist()
    {
        var error = await Assert.ThrowsAsync<KeyException>(() => Load(null, mayCreate: false));

        Assert.Contains("Restore the master key", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder));
    }

    [Fact]
    public async Task An_empty_file_left_by_a_crash_is_filled()
    {
        await File.WriteAllTextAsync(Path.Combine(folder, MasterKey.FileName), "", TestContext.Current.CancellationToken);

        Assert.True(IsSame(await Load(null, mayCreate: true), await Load(null, mayCreate: false)));
    }

    [Fact]
    public async Task A_broken_file_is_refused_and_kept()
    {
        var file = Path.Combine(folder, MasterKey.FileName);
        await File.WriteAllTextAsync(file, "AAECAwQF", TestContext.Current.CancellationToken);

        await Assert.ThrowsAsync<KeyException>(() => Load(null, mayCreate: true));
        Assert.Equal("AAECAwQF", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Many_starts_at_once_end_with_one_key()
    {
        for (var round = 0; round < 20; round++)
        {
            File.Delete(Path.Combine(folder, MasterKey.FileName));
            var keys = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Load(null, mayCreate: true))));

            Assert.All(keys, key => Assert.True(IsSame(keys[0], key)));
        }
    }

    private static bool IsSame(MasterKey one, MasterKey other)
    {
        var box = one.Seal(KeyUse.Secret, 1, [42], Random);
        try
        {
            return other.Open(KeyUse.Secret, 1, box) is [42];
        }
        catch (KeyException)
        {
            return false;
        }
    }

    private Task<MasterKey> Load(string? environment, bool mayCreate) =>
        MasterKey.Load(folder, environment, mayCreate, Random, TimeProvider.System, TestContext.Current.CancellationToken);
}
