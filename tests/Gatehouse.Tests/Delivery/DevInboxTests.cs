using Gatehouse.Delivery;
using Gatehouse.Testing;
using Xunit;

namespace Gatehouse.Tests.Delivery;

public sealed class DevInboxTests
{
    private readonly ManualTime time = new();

    [Fact]
    public async Task It_keeps_the_latest_five_hundred_newest_first()
    {
        var inbox = new DevInbox(time);
        for (var i = 0; i < DevInbox.Capacity + 3; i++)
        {
            await inbox.SendMail(Message($"user{i}@example.com", code: null), TestContext.Current.CancellationToken);
        }

        var messages = inbox.Messages(to: null);

        Assert.Equal(DevInbox.Capacity, messages.Count);
        Assert.Equal(("user502@example.com", "user3@example.com"), (messages[0].To, messages[^1].To));
    }

    [Fact]
    public async Task It_finds_mail_and_text_messages_by_recipient_with_their_codes()
    {
        var ct = TestContext.Current.CancellationToken;
        var inbox = new DevInbox(time);
        await inbox.SendMail(Message("Ada@example.com", "123456"), ct);
        await inbox.SendSms(Message("+491701234567", "654321"), ct);

        var mail = Assert.Single(inbox.Messages("ada@example.com"));
        var sms = Assert.Single(inbox.Messages("+491701234567"));

        Assert.Equal(new DevMessage(MessageChannel.Mail, "Ada@example.com", "Subject", "Text", "123456", time.GetUtcNow()), mail);
        Assert.Equal(new DevMessage(MessageChannel.Sms, "+491701234567", null, "Short", "654321", time.GetUtcNow()), sms);
        Assert.Empty(inbox.Messages("eve@example.com"));
    }

    private static OutgoingMessage Message(string to, string? code) =>
        new(Guid.NewGuid(), to, new MessageText("Subject", "Text", "<p>Text</p>", "Short"), code);
}
