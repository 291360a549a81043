using Gatehouse.Passwords;
using Xunit;

namespace Gatehouse.Tests.Passwords;

public class PhcStringTests
{
    [Theory]
    [InlineData("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4")]
    [InlineData("$pbkdf2-sha512$i=210000$c29tZXNhbHRzb21l$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4")]
    public void A_stored_string_survives_the_round_trip(string text) => Assert.Equal(text, PhcString.Parse(text)?.ToString());

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("$")]
    [InlineData("$$$$$")]
    [InlineData("SecureP@ssw0rd123")]
    [InlineData("$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW")]
    [InlineData("argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQM")]
    [InlineData("x$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQM")]
    [InlineData("$argon2id$w=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQM")]
    [InlineData("$argon2id$v=19$m=256,t=2,p=$c29tZXNhbHQ$nf65EOgLrQM")]
    [InlineData("$argon2id$v=19$m=0256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQM")]
    [InlineData("$argon2id$v=19$m=-256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQM")]
    [InlineData("$argon2id$v=19$m= 256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQM")]
    [InlineData("$argon2id$v=19$m=99999999999,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQM")]
    [InlineData("$argon2id$v=19$m=256,,p=1$c29tZXNhbHQ$nf65EOgLrQM")]
    [InlineData("$argon2id$v=19$=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQM")]
    [InlineData("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ=$nf65EOgLrQM")]
    [InlineData("$argon2id$v=19$m=256,t=2,p=1$c29tZXNh bHQ$nf65EOgLrQM")]
    [InlineData("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHR$nf65EOgLrQM")]
    [InlineData("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQM$")]
    [InlineData("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$n*65EOgLrQM")]
    [InlineData("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$n")]
    public void Any_other_spelling_is_unreadable(string? text) => Assert.Null(PhcString.Parse(text));

    [Fact]
    public void An_endless_string_is_unreadable() =>
        Assert.Null(PhcString.Parse("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$" + new string('A', 1_000_000)));
}
