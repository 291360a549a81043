using Gatehouse.Delivery;
using Xunit;

namespace Gatehouse.Tests.Delivery;

public sealed class MessageTemplatesTests
{
    private static readonly Dictionary<string, string> Code = new(StringComparer.Ordinal) { ["code"] = "123456", ["minutes"] = "10" };

    [Fact]
    public void Every_template_exists_in_every_language_with_the_same_placeholders()
    {
        var expected = Shape(MessageTemplates.Fallback);
        Assert.Equal("de en", string.Join(' ', MessageTemplates.Languages.Order(StringComparer.Ordinal)));
        Assert.NotEmpty(expected);
        Assert.All(MessageTemplates.Languages, language => Assert.Equivalent(expected, Shape(language), strict: true));

        static Dictionary<string, string> Shape(string language) => MessageTemplates.Texts(language).ToDictionary(
            entry => entry.Key,
            entry => string.Join(" | ", Names(entry.Value.Subject), Names(string.Join(' ', entry.Value.Paragraphs)), Names(entry.Value.Sms ?? "-")),
            StringComparer.Ordinal);

        static string Names(string text) =>
            text == "-" ? text : string.Join(',', MessageTemplates.Placeholders(text).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("en", "Your sign-in code: 123456", "en")]
    [InlineData("de", "Ihr Anmeldecode: 123456", "de")]
    [InlineData("de-AT", "Ihr Anmeldecode: 123456", "de")]
    [InlineData("DE", "Ihr Anmeldecode: 123456", "de")]
    [InlineData("fr", "Your sign-in code: 123456", "en")]
    [InlineData("", "Your sign-in code: 123456", "en")]
    public void A_language_is_served_by_its_own_texts_or_by_English(string language, string subject, string htmlLanguage)
    {
        var text = MessageTemplates.Render("sign_in_code", language, Code);

        Assert.Equal(subject, text.Subject);
        Assert.Contains($"<html lang=\"{htmlLanguage}\">", text.Html, StringComparison.Ordinal);
        Assert.Contains("123456", text.Text, StringComparison.Ordinal);
        Assert.Contains("123456", text.Sms, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_bring_no_markup_into_the_HTML_part_and_no_lines_into_the_text()
    {
        var text = MessageTemplates.Render("refresh_token_reused", "de", new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["device"] = "<script>alert('x')</script> & \"{time}\"\r\nBcc: eve@example.com",
            ["time"] = "18.01.2026",
            ["network"] = "192.0.2.0/24",
        });

        Assert.Contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;{time}&quot;  Bcc", text.Html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", text.Html, StringComparison.Ordinal);
        Assert.Contains("Gerät: <script>alert('x')</script> & \"{time}\"  Bcc: eve@example.com\r\n", text.Text, StringComparison.Ordinal);
        Assert.Null(text.Sms);
    }

    [Fact]
    public void A_missing_value_or_template_is_an_error_and_not_a_mail_with_a_hole()
    {
        Assert.Throws<ArgumentException>(() => MessageTemplates.Render("sign_in_code", "en", new Dictionary<string, string>(StringComparer.Ordinal)));
        Assert.Throws<ArgumentException>(() => MessageTemplates.Render("no_such_template", "en", Code));
    }
}
