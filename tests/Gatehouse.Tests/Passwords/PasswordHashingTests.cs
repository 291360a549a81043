using Gatehouse.Passwords;
using Xunit;

namespace Gatehouse.Tests.Passwords;

public sealed class PasswordHashingTests : IDisposable
{
    private static readonly PasswordOptions Cheap = new() { MemoryKiB = 64, Passes = 1, Pbkdf2Iterations = 2, Threads = 1 };

    private readonly PasswordHashing passwords = Create(Cheap);

    public void Dispose() => passwords.Dispose();

    [Fact]
    public async Task The_right_password_is_right()
    {
        var stored = await Hash("SecureP@ssw0rd123");

        Assert.StartsWith("$argon2id$v=19$m=64,t=1,p=1$", stored, StringComparison.Ordinal);
        Assert.Equal(PasswordCheck.Right, await Verify("SecureP@ssw0rd123", stored));
    }

    [Theory]
    [InlineData("SecureP@ssw0rd124")]
    [InlineData("securep@ssw0rd123")]
    [InlineData("SecureP@ssw0rd12")]
    [InlineData("SecureP@ssw0rd123 ")]
    [InlineData("")]
    public async Task A_wrong_password_is_refused(string password) =>
        Assert.Equal(PasswordCheck.Wrong, await Verify(password, await Hash("SecureP@ssw0rd123")));

    [Fact]
    [Trait("Requirement", "S1-27")]
    public async Task An_unknown_user_costs_the_same_work_and_is_wrong()
    {
        var counting = new CountingHash();
        using var hashing = new PasswordHashing(Cheap, new Randomness(TimeProvider.System), TimeProvider.System, counting);

        foreach (var stored in new[] { "$counting$i=1$c29tZXNhbHQ$c29tZXNhbHQ", null, "", "rubbish", "$2b$12$a$b", "$scrypt$ln=1$c29t$c29t" })
        {
            var before = counting.Matched;
            Assert.Equal(PasswordCheck.Wrong, await hashing.Verify("password", stored, TestContext.Current.CancellationToken));
            Assert.Equal(before + 1, counting.Matched);
        }
    }

    [Fact]
    public async Task A_damaged_hash_is_wrong_and_never_a_failure()
    {
        var stored = await Hash("password");
        for (var at = 0; at < stored.Length; at++)
        {
            foreach (var damage in "$,=09Az \0é".Where(c => c != stored[at]))
            {
                Assert.Equal(PasswordCheck.Wrong, await Verify("password", $"{stored[..at]}{damage}{stored[(at + 1)..]}"));
            }

            Assert.Equal(PasswordCheck.Wrong, await Verify("password", stored[..at]));
        }
    }

    [Fact]
    public async Task The_same_password_is_never_stored_alike() =>
        Assert.NotEqual(await Hash("password"), await Hash("password"), StringComparer.Ordinal);

    [Fact]
    public async Task Every_character_counts_however_long_the_password()
    {
        foreach (var length in new[] { 64, 72, 128, 1023, 1024, 5000 })
        {
            var password = new string('a', length);
            var stored = await Hash(password);
            Assert.Equal(PasswordCheck.Right, await Verify(password, stored));
            Assert.Equal(PasswordCheck.Wrong, await Verify(password + "a", stored));
            Assert.Equal(PasswordCheck.Wrong, await Verify(password[..^1] + "b", stored));
        }
    }

    [Theory]
    [InlineData("pass\0word", "pass\0sword")]
    [InlineData("pass\0word", "pass")]
    [InlineData("пароль-Ünïcødé", "пароль-Unicode")]
    [InlineData("🔐 correct horse 電池", "🔑 correct horse 電池")]
    [InlineData(" spaces ", "spaces")]
    [InlineData("", " ")]
    public async Task All_of_Unicode_is_allowed_and_told_apart(string password, string other)
    {
        var stored = await Hash(password);

        Assert.Equal(PasswordCheck.Right, await Verify(password, stored));
        Assert.Equal(PasswordCheck.Wrong, await Verify(other, stored));
    }

    [Fact]
    public async Task Text_that_is_not_Unicode_is_hashed_without_failing()
    {
        var stored = await Hash("half a pair \ud83d");

        Assert.Equal(PasswordCheck.Right, await Verify("half a pair \ud83d", stored));
    }

    [Theory]
    [InlineData(128, 1, PasswordCheck.RightButOutdated)]
    [InlineData(64, 2, PasswordCheck.RightButOutdated)]
    [InlineData(32, 1, PasswordCheck.Right)]
    public async Task A_hash_weaker_than_todays_settings_is_flagged(int memoryKiB, int passes, PasswordCheck expected)
    {
        var stored = await Hash("password");
        using var today = Create(Cheap with { MemoryKiB = memoryKiB, Passes = passes });

        Assert.Equal(expected, await today.Verify("password", stored, TestContext.Current.CancellationToken));
        Assert.Equal(PasswordCheck.Wrong, await today.Verify("passwort", stored, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_fallback_hash_is_still_checked_and_flagged()
    {
        var pbkdf2 = new Pbkdf2Hash(3).Hash("password"u8, new byte[16]).ToString();

        Assert.Equal(PasswordCheck.RightButOutdated, await Verify("password", pbkdf2));
        Assert.Equal(PasswordCheck.Wrong, await Verify("passwort", pbkdf2));
    }

    [Fact]
    public async Task The_fallback_flags_its_own_weaker_hashes()
    {
        var weak = new Pbkdf2Hash(2).Hash("password"u8, new byte[16]).ToString();
        var strong = new Pbkdf2Hash(3).Hash("password"u8, new byte[16]).ToString();
        using var fallback = new PasswordHashing(Cheap, new Randomness(TimeProvider.System), TimeProvider.System, new Pbkdf2Hash(3));

        Assert.Equal("pbkdf2-sha512", fallback.Algorithm);
        Assert.Equal(PasswordCheck.RightButOutdated, await fallback.Verify("password", weak, TestContext.Current.CancellationToken));
        Assert.Equal(PasswordCheck.Right, await fallback.Verify("password", strong, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_stopped_server_is_busy()
    {
        var stored = await Hash("password");
        passwords.Dispose();

        Assert.Equal(PasswordCheck.Busy, await Verify("password", stored));
        Assert.IsType<HashedPassword.Busy>(await passwords.Hash("password", TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(7, 1, 1, 1)]
    [InlineData(Argon2idHash.MaxMemoryKiB + 1, 1, 1, 1)]
    [InlineData(64, 0, 1, 1)]
    [InlineData(64, 1, 0, 1)]
    [InlineData(64, 1, 1, 0)]
    public void Settings_that_cannot_work_are_refused(int memoryKiB, int passes, int threads, int queueLimit) =>
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            Create(Cheap with { MemoryKiB = memoryKiB, Passes = passes, Threads = threads, QueueLimit = queueLimit }));

    private static PasswordHashing Create(PasswordOptions options) =>
        new(options, new Randomness(TimeProvider.System), TimeProvider.System);

    private async Task<string> Hash(string password) =>
        Assert.IsType<HashedPassword.Done>(await passwords.Hash(password, TestContext.Current.CancellationToken)).Hash;

    private Task<PasswordCheck> Verify(string password, string? stored) =>
        passwords.Verify(password, stored, TestContext.Current.CancellationToken);

    private sealed class CountingHash : IPasswordHash
    {
        public int Matched { get; private set; }

        public string Algorithm => "counting";

        public PhcString Hash(ReadOnlySpan<byte> password, byte[] salt) => new(Algorithm, null, [("i", 1)], salt, []);

        public bool Matches(ReadOnlySpan<byte> password, PhcString stored)
        {
            Matched++;
            return false;
        }

        public bool IsCurrent(PhcString stored) => true;

        public PhcString Decoy(Randomness randomness) => Hash([], []);
    }
}
