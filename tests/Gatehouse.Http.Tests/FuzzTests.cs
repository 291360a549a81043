using FsCheck;
using FsCheck.Fluent;
using Gatehouse.Keys;
using Gatehouse.Sessions;
using Gatehouse.Testing;
using Gatehouse.Tokens;
using Microsoft.FSharp.Core;
using Xunit;

namespace Gatehouse.Http.Tests;

/// <summary>
/// Whatever arrives is answered, and never with a 500. The inputs come from fixed seeds: some thousands, or a million in a long run.
/// </summary>
public sealed class FuzzTests(UnthrottledServers servers)
{
    private static bool IsLong => Environment.GetEnvironmentVariable("GATEHOUSE_LONG") == "1";

    private static int Tokens => IsLong ? 300_000 : 3_000;

    private static int Requests => IsLong ? 200_000 : 1_000;

    [Fact]
    public async Task No_text_but_a_token_as_it_was_written_is_taken_for_one()
    {
        var server = await servers[Engine.Sqlite];
        var login = await server.SignInSomebody();
        var (access, refresh) = (login["accessToken"], login["refreshToken"]);
        var verifier = server.Get<AccessTokenVerifier>();
        var keys = server.Get<KeyRing>().Current;
        Assert.IsType<TokenCheck.Verified>(verifier.Verify(access));
        Assert.True(RefreshToken.TryRead(refresh, keys, out _));

        Run(71207, Tokens, FuzzInput.Tokens(access), text =>
        {
            var check = verifier.VerifyForAnyAudience(text);
            return text == access || check is TokenCheck.Invalid or TokenCheck.UnknownKey;
        });
        Run(71208, Tokens, FuzzInput.Tokens(refresh), text => text == refresh || !RefreshToken.TryRead(text, keys, out _));
    }

    [Theory]
    [BothEngines]
    [Requirement("S1-11")]
    public async Task No_body_and_no_header_is_answered_with_a_fault_of_ours(Engine engine)
    {
        var server = await servers[engine];
        using var client = server.Client();
        var person = await server.AddPerson();
        var login = await client.Login(person.Email);
        var seen = new HashSet<int>();

        Run(71209 + (ulong)engine, Requests, FuzzInput.Requests(person.Email, login["refreshToken"]), request =>
        {
            var bearer = request.IsSignedIn ? login["accessToken"] : null;
            var answer = client.Send(request.Method, request.Path, request.Content(), bearer, request.Headers).GetAwaiter().GetResult();
            if (request.IsSignedIn && answer.Code == 401)
            {
                // It ended its own session, or signed in so often that the oldest one ended.
                login = client.Login(person.Email).GetAwaiter().GetResult();
            }

            seen.Add(answer.Code);
            Assert.True(answer.Code < 500, answer.Text);
            Assert.False(answer.Code >= 400 && answer.Text.Length > 0 && string.IsNullOrEmpty(answer.ErrorCode), answer.Text);
            return true;
        });

        // Wild, but not so wild that all of it is turned away at the door.
        Assert.Superset(new HashSet<int> { 200, 400, 401, 404 }, seen);
        var good = await client.Login(person.Email);
        Assert.Equal(200, (await client.Get("/api/v1/auth/me", good["accessToken"])).Code);
    }

    private static void Run<T>(ulong seed, int count, Gen<T> inputs, Func<T, bool> holds) => Check.One(
        Config.QuickThrowOnFailure
            .WithMaxTest(count)
            .WithReplay(FSharpOption<Replay>.Some(new Replay(new Rnd(seed), FSharpOption<int>.None))),
        Prop.ForAll(inputs.ToArbitrary(), holds));
}
