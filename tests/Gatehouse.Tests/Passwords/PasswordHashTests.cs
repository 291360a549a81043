using System.Text;
using Gatehouse.Passwords;
using Xunit;

namespace Gatehouse.Tests.Passwords;

public class PasswordHashTests
{
    private const string Tag32 = "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

    // The vectors of the reference implementation's own test.c; libargon2 must be installed where the tests run.
    [Theory]
    [InlineData(65536, 2, "password", "somesalt", "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7")]
    [InlineData(256, 2, "password", "somesalt", "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe")]
    [InlineData(65536, 1, "password", "somesalt", "f6a5adc1ba723dddef9b5ac1d464e180fcd9dffc9d1cbf76cca2fed795d9ca98")]
    [InlineData(65536, 2, "differentpassword", "somesalt", "0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde")]
    [InlineData(65536, 2, "password", "diffsalt", "bdf32b05ccc42eb15d58fd19b1f856b113da1e9a5874fdcc544308565aa8141c")]
    public void Argon2id_gives_the_published_answers(int memoryKiB, int passes, string password, string salt, string tag)
    {
        var hash = new Argon2idHash(memoryKiB, passes).Hash(Utf8(password), Utf8(salt));

        Assert.Equal(tag, Convert.ToHexStringLower(hash.Tag));
    }

    [Fact]
    public void Argon2id_reads_the_parameters_from_the_stored_string()
    {
        var twoLanes = new PhcString(
            "argon2id", 19, [("m", 256), ("t", 2), ("p", 2)], Utf8("somesalt"),
            Convert.FromHexString("6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037"));

        Assert.True(new Argon2idHash(64, 1).Matches("password"u8, twoLanes));
    }

    [Theory]
    [InlineData(1, "password", "salt", "867f70cf1ade02cff3752599a3a53dc4af34c7a669815ae5d513554e1c8cf252c02d470a285a0501bad999bfe943c08f050235d7d68b1da55e63f73b60a57fce")]
    [InlineData(4096, "passwordPASSWORDpassword", "saltSALTsaltSALTsaltSALTsaltSALTsalt", "8c0511f4c6e597c6ac6315d8f0362e225f3c501495ba23b868c005174dc4ee71115b59f9e60cd9532fa33e0f75aefe30225c583a186cd82bd4daea9724a3d3b8")]
    public void Pbkdf2_gives_the_published_answers(int iterations, string password, string salt, string tag)
    {
        var hash = new Pbkdf2Hash(iterations).Hash(Utf8(password), Utf8(salt));

        Assert.Equal(tag, Convert.ToHexStringLower(hash.Tag));
    }

    [Fact]
    public void The_stored_string_is_the_one_other_tools_write() =>
        Assert.Equal(
            $"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ${Tag32}",
            new Argon2idHash(256, 2).Hash("password"u8, Utf8("somesalt")).ToString());

    [Theory]
    [InlineData("v=16$m=256,t=2,p=1$c29tZXNhbHQ$" + Tag32)]
    [InlineData("v=19$m=2147483647,t=2,p=1$c29tZXNhbHQ$" + Tag32)]
    [InlineData("v=19$m=256,t=2147483647,p=1$c29tZXNhbHQ$" + Tag32)]
    [InlineData("v=19$m=256,t=0,p=1$c29tZXNhbHQ$" + Tag32)]
    [InlineData("v=19$m=256,t=2,p=0$c29tZXNhbHQ$" + Tag32)]
    [InlineData("v=19$m=256,t=2,p=9$c29tZXNhbHQ$" + Tag32)]
    [InlineData("v=19$m=8,t=2,p=8$c29tZXNhbHQ$" + Tag32)]
    [InlineData("v=19$t=2,m=256,p=1$c29tZXNhbHQ$" + Tag32)]
    [InlineData("v=19$m=256,t=2$c29tZXNhbHQ$" + Tag32)]
    [InlineData("v=19$m=256,t=2,p=1$c29t$" + Tag32)]
    [InlineData("v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EA")]
    [InlineData("v=19$m=256,t=2,p=1$c29tZXNhbHQ$")]
    [InlineData("m=256,t=2,p=1$c29tZXNhbHQ$" + Tag32)]
    public void Argon2id_refuses_parameters_outside_its_bounds(string rest) =>
        Assert.False(new Argon2idHash(256, 2).Matches("password"u8, PhcString.Parse("$argon2id$" + rest)!));

    [Theory]
    [InlineData("i=2147483647$c29tZXNhbHQ$" + Tag32)]
    [InlineData("i=0$c29tZXNhbHQ$" + Tag32)]
    [InlineData("i=1,x=1$c29tZXNhbHQ$" + Tag32)]
    [InlineData("v=19$i=1$c29tZXNhbHQ$" + Tag32)]
    [InlineData("i=1$c29t$" + Tag32)]
    [InlineData("i=1$c29tZXNhbHQ$nf65EA")]
    public void Pbkdf2_refuses_parameters_outside_its_bounds(string rest) =>
        Assert.False(new Pbkdf2Hash(1).Matches("password"u8, PhcString.Parse("$pbkdf2-sha512$" + rest)!));

    [Fact]
    public void Nothing_matches_a_decoy_and_it_costs_what_a_real_hash_costs()
    {
        var randomness = new Randomness(TimeProvider.System);
        foreach (var hash in new IPasswordHash[] { new Argon2idHash(64, 1), new Pbkdf2Hash(1) })
        {
            var decoy = hash.Decoy(randomness);
            Assert.True(hash.IsCurrent(decoy));
            Assert.Equal(hash.Hash("x"u8, decoy.Salt).Parameters, decoy.Parameters);
            Assert.False(hash.Matches(""u8, decoy));
        }
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
