using Gatehouse.Challenges;
using Gatehouse.Sessions;
using Gatehouse.Storage;
using Gatehouse.Testing;
using Gatehouse.Tests.Storage;
using Gatehouse.Users;
using Xunit;

namespace Gatehouse.Tests.Challenges;

public sealed class ConfirmEmailCodeTests
{
    private static readonly Sql FindUser = new("SELECT user_id FROM users WHERE email = @email");
    private static readonly Sql CountRefused =
        new("SELECT count(*) FROM audit_events WHERE audit_action = 'session.sign_in' AND audit_details = 'invalid_code'");

    private static readonly Sql SessionsOf = new("SELECT session_id, session_status, reason_code FROM sessions WHERE session_user_id = @user");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [BothEngines]
    [Requirement("S4-30", "S4-31", "S4-32", "S4-37", "S4-38", "S4-42", "S4-44")]
    public async Task The_code_signs_its_owner_in_and_the_session_is_ready(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var user = await fixture.Node.NewUser();
        var (id, code) = await fixture.Challenge(user.Email);

        var confirmed = await fixture.Node.ConfirmCode(id, code);

        Assert.Equal((user.UserId, SessionKind.Device, "otp"), (confirmed.Session.UserId, confirmed.Session.Kind, confirmed.Session.Amr));
        Assert.Equal(BearerFailure.None, await fixture.Node.Check(confirmed.Session));
        Assert.Equal(ChallengeStatus.ConfirmedPendingExpire, (await fixture.Row(id)).Status);
        await fixture.Node.Refresh(confirmed.RefreshToken);
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-32", "S4-33", "S4-34")]
    public async Task An_address_without_a_user_gets_one_with_what_the_client_told(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var address = fixture.NewAddress();
        var (id, code) = await fixture.Challenge(address);
        var registration = Preferences.Default with { Locale = "de-DE", TimeZone = "Europe/Berlin" };

        var confirmed = Assert.IsType<ConfirmOutcome.Confirmed>(await fixture.Node.Confirm.Confirm(
            new CodeConfirmation(id, code, "", "", "", registration, RememberMe: true, Sessions.SessionNode.Origin), Ct));

        var user = await new UserStore(fixture.Sessions.Raw).FindByEmail(address, Ct);
        Assert.NotNull(user);
        Assert.Equal(confirmed.Session.UserId, user.UserId);
        Assert.True(user.EmailVerified);
        Assert.Equal(("de-DE", "Europe/Berlin"), (user.Preferences.Locale, user.Preferences.TimeZone));
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-33")]
    public async Task Who_is_blocked_between_the_message_and_the_code_gets_the_answer_of_a_wrong_code(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var user = await fixture.Node.NewUser();
        var nobody = fixture.NewAddress();
        var (first, code) = await fixture.Challenge(user.Email);
        var (second, other) = await fixture.Challenge(nobody);

        await fixture.Node.BlockThem(user.UserId);
        await fixture.Node.Block.Block(BlockTarget.Address(nobody), "abuse", Actor.System, Sessions.SessionNode.Origin, Ct);

        Assert.IsType<ConfirmOutcome.InvalidCode>(await fixture.Node.TryConfirm(first, code));
        Assert.IsType<ConfirmOutcome.InvalidCode>(await fixture.Node.TryConfirm(second, other));
        Assert.Equal(0, await fixture.Sessions.CountLive(user.UserId));
        Assert.Equal(Guid.Empty, await fixture.Sessions.Raw.QueryOne(FindUser, row => row.Id(0), Ct, ("email", nobody)));
    }

    [Theory]
    [BothEngines]
    public async Task Five_wrong_codes_end_a_challenge_for_the_right_one_too(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var (id, code) = await fixture.Challenge(fixture.NewAddress());
        var (spared, right) = await fixture.Challenge(fixture.NewAddress());
        for (var i = 1; i <= 5; i++)
        {
            Assert.IsType<ConfirmOutcome.InvalidCode>(await fixture.Node.TryConfirm(id, ChallengeFixture.Wrong(code, i)));
        }

        for (var i = 1; i <= 4; i++)
        {
            Assert.IsType<ConfirmOutcome.InvalidCode>(await fixture.Node.TryConfirm(spared, ChallengeFixture.Wrong(right, i)));
        }

        Assert.IsType<ConfirmOutcome.InvalidCode>(await fixture.Node.TryConfirm(id, code));
        await fixture.Node.ConfirmCode(spared, right);
    }

    [Theory]
    [BothEngines]
    public async Task Of_any_number_of_guesses_at_once_five_count_and_the_rest_are_worth_nothing(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var (id, code) = await fixture.Challenge(fixture.NewAddress());

        await Together.Run(50, i => fixture.Node.TryConfirm(id, ChallengeFixture.Wrong(code, i + 1)));

        Assert.Equal(5, (await fixture.Row(id)).OwnTries);
        Assert.IsType<ConfirmOutcome.InvalidCode>(await fixture.Node.TryConfirm(id, code));
    }

    [Fact]
    public async Task Who_hangs_up_before_a_wrong_code_is_counted_has_had_the_try()
    {
        await using var fixture = await ChallengeFixture.Create(Engine.Postgres);
        var address = fixture.NewAddress();
        var (id, code) = await fixture.Challenge(address);
        await fixture.Node.TryConfirm(id, ChallengeFixture.Wrong(code));

        // The count of the address is held, so that the guess waits; and its sender waits no longer.
        var holder = await OpenTransaction.Begin(
            fixture.Sessions.Raw, tx => tx.Execute(new Sql("UPDATE throttles SET tat = tat WHERE throttle_key LIKE 'wrong:%'"), Ct));
        using var patience = new CancellationTokenSource();
        var request = new CodeConfirmation(
            id, ChallengeFixture.Wrong(code, 2), "", "", "", Preferences.Default, RememberMe: true, Sessions.SessionNode.Origin);
        var guess = fixture.Node.Confirm.Confirm(request, patience.Token);
        await Sessions.PostgresLocks.Wait(fixture.Sessions.Raw);
        await patience.CancelAsync();
        await holder.Commit();

        Assert.IsType<ConfirmOutcome.InvalidCode>(await guess);
        Assert.Equal(2, (await fixture.Row(id)).OwnTries);
    }

    [Theory]
    [BothEngines]
    public async Task A_right_code_that_arrives_at_the_row_behind_five_wrong_ones_leaves_nothing(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var address = fixture.NewAddress();
        var (id, code) = await fixture.Challenge(address);

        // Its answer to the first look is held back until the wrong ones are counted.
        var held = fixture.Node.Database.HoldNextAnswer();
        var late = fixture.Node.TryConfirm(id, code);
        await held.Decided;
        for (var i = 1; i <= 5; i++)
        {
            await fixture.Node.TryConfirm(id, ChallengeFixture.Wrong(code, i));
        }

        held.Release();

        Assert.IsType<ConfirmOutcome.InvalidCode>(await late);
        Assert.Equal(Guid.Empty, await fixture.Sessions.Raw.QueryOne(FindUser, row => row.Id(0), Ct, ("email", address)));
    }

    [Theory]
    [BothEngines]
    public async Task The_first_id_has_its_own_tries_and_all_further_ids_share_theirs(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var address = fixture.NewAddress();
        var (first, code) = await fixture.Challenge(address);
        var (second, third) = (await fixture.Node.SendCode(address), await fixture.Node.SendCode(address));
        for (var i = 1; i <= 5; i++)
        {
            await fixture.Node.TryConfirm(i % 2 == 0 ? second : third, ChallengeFixture.Wrong(code, i));
        }

        Assert.IsType<ConfirmOutcome.InvalidCode>(await fixture.Node.TryConfirm(second, code));
        Assert.IsType<ConfirmOutcome.InvalidCode>(await fixture.Node.TryConfirm(third, code));
        await fixture.Node.ConfirmCode(first, code);
    }

    [Theory]
    [BothEngines]
    public async Task Who_is_guessed_at_thirty_times_a_day_gets_ten_digits_and_is_not_locked_out(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var address = fixture.NewAddress();
        for (var round = 0; round < 3; round++)
        {
            var (id, code) = await fixture.Challenge(address);
            var further = await fixture.Node.SendCode(address);
            Assert.Equal(6, code.Length);
            for (var i = 1; i <= 5; i++)
            {
                await fixture.Node.TryConfirm(id, ChallengeFixture.Wrong(code, i));
                await fixture.Node.TryConfirm(further, ChallengeFixture.Wrong(code, i + 5));
            }

            fixture.Time.Advance(TimeSpan.FromSeconds(61));
        }

        var (last, longer) = await fixture.Challenge(address);
        Assert.Equal(10, longer.Length);
        await fixture.Node.ConfirmCode(last, longer);
    }

    [Theory]
    [BothEngines]
    public async Task A_code_is_good_for_ten_minutes(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var (id, code) = await fixture.Challenge(fixture.NewAddress());
        var (late, other) = await fixture.Challenge(fixture.NewAddress());

        fixture.Time.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromMilliseconds(1));
        await fixture.Node.ConfirmCode(id, code);
        fixture.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.IsType<ConfirmOutcome.InvalidCode>(await fixture.Node.TryConfirm(late, other));
    }

    [Theory]
    [BothEngines]
    public async Task Unknown_ids_and_codes_of_any_shape_are_wrong(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var (id, code) = await fixture.Challenge(fixture.NewAddress());

        Assert.IsType<ConfirmOutcome.InvalidCode>(await fixture.Node.TryConfirm(Guid.NewGuid(), code));
        foreach (var text in new[] { "", "1", code + " ", " " + code, code + "0", "٠١٢٣٤٥", "abcdef" })
        {
            Assert.IsType<ConfirmOutcome.InvalidCode>(await fixture.Node.TryConfirm(id, text));
            await fixture.Sessions.Raw.Execute(new Sql("UPDATE challenges SET own_tries = 0"), Ct);
        }

        await fixture.Node.ConfirmCode(id, code);
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-61", "S4-62", "S4-63", "S4-64", "S4-65")]
    public async Task The_same_request_again_gets_the_same_session_and_its_tokens_until_they_are_used(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var (id, code) = await fixture.Challenge(fixture.NewAddress());
        var first = await fixture.Node.ConfirmCode(id, code);

        var again = await fixture.Node.ConfirmCode(id, code);
        await fixture.Node.Refresh(first.RefreshToken);
        var later = await fixture.Node.ConfirmCode(id, code);

        Assert.Equal((first.Session.SessionId, first.RefreshToken), (again.Session.SessionId, again.RefreshToken));
        Assert.Equal((first.Session.SessionId, ""), (later.Session.SessionId, later.RefreshToken));
        Assert.Equal(1, await fixture.Sessions.CountLive(first.Session.UserId));
    }

    [Theory]
    [BothEngines]
    public async Task With_another_key_or_device_it_is_not_the_same_request(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var (id, code) = await fixture.Challenge(fixture.NewAddress());
        var device = Guid.NewGuid().ToString();
        Assert.IsType<ConfirmOutcome.Confirmed>(await fixture.Node.TryConfirm(id, code, "thumbprint", device));

        Assert.IsType<ConfirmOutcome.InvalidCode>(await fixture.Node.TryConfirm(id, code, "another", device));
        Assert.IsType<ConfirmOutcome.InvalidCode>(await fixture.Node.TryConfirm(id, code, "", device));
        Assert.IsType<ConfirmOutcome.InvalidCode>(await fixture.Node.TryConfirm(id, code, "thumbprint", ""));
        Assert.IsType<ConfirmOutcome.InvalidCode>(await fixture.Node.TryConfirm(id, ChallengeFixture.Wrong(code), "thumbprint", device));
        Assert.IsType<ConfirmOutcome.Confirmed>(await fixture.Node.TryConfirm(id, code, "thumbprint", device));
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-65")]
    public async Task A_repetition_is_answered_for_at_least_five_minutes_and_not_for_ever(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var (id, code) = await fixture.Challenge(fixture.NewAddress());
        fixture.Time.Advance(TimeSpan.FromMinutes(9));
        var first = await fixture.Node.ConfirmCode(id, code);

        fixture.Time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromMilliseconds(1));
        Assert.Equal(first.Session.SessionId, (await fixture.Node.ConfirmCode(id, code)).Session.SessionId);
        fixture.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.IsType<ConfirmOutcome.InvalidCode>(await fixture.Node.TryConfirm(id, code));
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-63")]
    public async Task A_repetition_after_the_session_ended_says_so_and_opens_nothing(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var (id, code) = await fixture.Challenge(fixture.NewAddress());
        var first = await fixture.Node.ConfirmCode(id, code);
        await fixture.Node.End(first.Session.SessionId);

        Assert.IsType<ConfirmOutcome.Revoked>(await fixture.Node.TryConfirm(id, code));
        Assert.Equal(0, await fixture.Sessions.CountLive(first.Session.UserId));
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-66", "S4-67", "S4-68", "S4-69", "S4-70", "S4-71", "S4-73")]
    public async Task Of_fifty_identical_confirmations_at_once_one_session_lives_and_all_are_told_of_it(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var elsewhere = await fixture.Sessions.StartAnother();
        var (id, code) = await fixture.Challenge(fixture.NewAddress());
        await fixture.Node.Feed.Start(Ct);

        var outcomes = await Together.Run(50, i => (i % 2 == 0 ? fixture.Node : elsewhere).TryConfirm(id, code));

        var sessions = outcomes.Select(outcome => Assert.IsType<ConfirmOutcome.Confirmed>(outcome).Session).ToList();
        var survivor = Assert.Single(sessions.Select(session => session.SessionId).Distinct());
        var rows = await fixture.Sessions.Raw.Query(
            SessionsOf, row => (Id: row.Id(0), Status: row.Text(1), Reason: row.Text(2)), Ct, ("user", sessions[0].UserId));
        Assert.Equal((SessionStatus.Active, ""), rows.Where(row => row.Id == survivor).Select(row => (row.Status, row.Reason)).Single());
        var losers = rows.Where(row => row.Id != survivor).ToList();
        Assert.All(losers, row => Assert.Equal((SessionStatus.Revoked, "confirm_race_repair"), (row.Status, row.Reason)));

        // Each loser is published as revoked, the survivor as active.
        var published = (await fixture.Node.ReadFeed()).GroupBy(s => s.SessionId).ToDictionary(g => g.Key, g => g.MaxBy(s => s.Version)!);
        Assert.Equal(SessionStatus.Active, published[survivor].Status);
        Assert.All(losers, row => Assert.Equal("confirm_race_repair", published[row.Id].ReasonCode));
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-39", "S4-70")]
    public async Task One_that_loses_the_swap_leaves_a_revoked_session_and_names_the_winner(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var (id, code) = await fixture.Challenge((await fixture.Node.NewUser()).Email);

        // The loser has seen the challenge as not yet confirmed.
        var held = fixture.Node.Database.HoldNextAnswer();
        var losing = fixture.Node.TryConfirm(id, code);
        await held.Decided;
        var winner = await fixture.Node.ConfirmCode(id, code);
        held.Release();

        Assert.Equal(winner.Session.SessionId, Assert.IsType<ConfirmOutcome.Confirmed>(await losing).Session.SessionId);
        var rows = await fixture.Sessions.Raw.Query(
            SessionsOf, row => (Id: row.Id(0), Status: row.Text(1), Reason: row.Text(2)), Ct, ("user", winner.Session.UserId));
        Assert.Equal(2, rows.Count);
        var loser = rows.Single(row => row.Id != winner.Session.SessionId);
        Assert.Equal((SessionStatus.Revoked, "confirm_race_repair"), (loser.Status, loser.Reason));
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-66", "S4-67")]
    public async Task Under_the_policy_reject_too_identical_confirmations_are_all_told_of_the_one_session(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(
            engine, new SessionOptions { Limit = 1, LimitPolicy = SessionLimitPolicy.Reject });
        var (id, code) = await fixture.Challenge((await fixture.Node.NewUser()).Email);

        var outcomes = await Together.Run(20, _ => fixture.Node.TryConfirm(id, code));

        Assert.Single(outcomes.Select(outcome => Assert.IsType<ConfirmOutcome.Confirmed>(outcome).Session.SessionId).Distinct());
    }

    [Theory]
    [BothEngines]
    public async Task A_user_who_is_erased_between_the_look_and_the_session_is_not_made_again_under_the_old_id(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var user = await fixture.Node.NewUser();
        var (id, code) = await fixture.Challenge(user.Email);
        var held = fixture.Node.Database.HoldNextAnswer();
        var late = fixture.Node.TryConfirm(id, code);
        await held.Decided;
        await fixture.Node.Delete.Delete(user.UserId, Actor.System, Sessions.SessionNode.Origin, Ct);
        held.Release();

        Assert.IsType<ConfirmOutcome.InvalidCode>(await late);
    }

    [Theory]
    [BothEngines]
    public async Task Every_code_that_is_refused_is_in_the_audit_trail(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        var user = await fixture.Node.NewUser();
        var (id, code) = await fixture.Challenge(user.Email);

        await fixture.Node.TryConfirm(id, ChallengeFixture.Wrong(code));
        await fixture.Node.TryConfirm(Guid.NewGuid(), code);
        await fixture.Node.BlockThem(user.UserId);
        await fixture.Node.TryConfirm(id, code);

        Assert.Equal(3, await fixture.Sessions.Count(CountRefused));
    }

    [Theory]
    [BothEngines]
    public async Task One_client_address_hands_in_sixty_codes_an_hour(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        for (var i = 0; i < 60; i++)
        {
            Assert.IsType<ConfirmOutcome.InvalidCode>(await fixture.Node.TryConfirm(Guid.NewGuid(), "000000"));
        }

        Assert.Equal(
            fixture.Time.Now() + TimeSpan.FromMinutes(1).Milliseconds(),
            Assert.IsType<ConfirmOutcome.Throttled>(await fixture.Node.TryConfirm(Guid.NewGuid(), "000000")).Permit.ResetAt);
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-35", "S4-36")]
    public async Task Different_confirmations_at_once_do_not_exceed_the_limit_under_either_policy(Engine engine)
    {
        foreach (var policy in new[] { SessionLimitPolicy.Evict, SessionLimitPolicy.Reject })
        {
            await using var fixture = await ChallengeFixture.Create(engine);
            var user = await fixture.Node.NewUser();
            await fixture.Node.Limit.Set(new SessionLimitSetting(3, policy), "test", Actor.System, Sessions.SessionNode.Origin, Ct);
            var challenges = new List<(Guid Id, string Code)>();
            for (var i = 0; i < 6; i++)
            {
                challenges.Add(await fixture.Challenge(user.Email));
                fixture.Time.Advance(TimeSpan.FromSeconds(60));
            }

            var outcomes = await Together.Run(6, i => fixture.Node.TryConfirm(challenges[i].Id, challenges[i].Code));

            Assert.Equal(3, await fixture.Sessions.CountLive(user.UserId));
            Assert.Equal(
                policy == SessionLimitPolicy.Reject ? 3 : 0, outcomes.Count(outcome => outcome is ConfirmOutcome.SessionLimitReached));
        }
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-40", "S4-41")]
    public async Task What_is_published_is_the_session_as_it_is_stored(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        await fixture.Node.Feed.Start(Ct);
        var (id, code) = await fixture.Challenge(fixture.NewAddress());

        var confirmed = await fixture.Node.ConfirmCode(id, code);

        var stored = await new SessionStore(fixture.Sessions.Raw, fixture.Time).Find(confirmed.Session.SessionId, Ct);
        Assert.Equal(stored, Assert.Single(await fixture.Node.ReadFeed()));
        Assert.Equal(stored, confirmed.Session);
    }

    [Theory]
    [BothEngines]
    [Requirement("S4-43")]
    public async Task A_confirmation_that_stops_at_a_step_has_done_none_of_the_later_ones(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);

        // At the first, the challenge: no user is made.
        var address = fixture.NewAddress();
        var (first, code) = await fixture.Challenge(address);
        await fixture.Node.TryConfirm(first, ChallengeFixture.Wrong(code));
        Assert.Equal(Guid.Empty, await fixture.Sessions.Raw.QueryOne(FindUser, row => row.Id(0), Ct, ("email", address)));

        // At the second, the user: no session, and the challenge is not confirmed.
        var blocked = await fixture.Node.NewUser();
        var (second, other) = await fixture.Challenge(blocked.Email);
        await fixture.Sessions.Raw.Execute(new Sql("UPDATE users SET user_status = 'blocked' WHERE user_id = @user"), Ct, ("user", blocked.UserId));
        Assert.IsType<ConfirmOutcome.InvalidCode>(await fixture.Node.TryConfirm(second, other));
        Assert.Empty(await fixture.Sessions.Raw.Query(SessionsOf, row => row.Id(0), Ct, ("user", blocked.UserId)));
        Assert.Equal(ChallengeStatus.PendingSend, (await fixture.Row(second)).Status);

        // At the third and fourth, limit and count: no session, and the challenge stays open for later.
        await fixture.Node.Limit.Set(
            new SessionLimitSetting(1, SessionLimitPolicy.Reject), "test", Actor.System, Sessions.SessionNode.Origin, Ct);
        var full = await fixture.Node.NewUser();
        var open = await fixture.Node.Open(full);
        var (third, last) = await fixture.Challenge(full.Email);
        Assert.IsType<ConfirmOutcome.SessionLimitReached>(await fixture.Node.TryConfirm(third, last));
        Assert.Single(await fixture.Sessions.Raw.Query(SessionsOf, row => row.Id(0), Ct, ("user", full.UserId)));
        Assert.Equal(ChallengeStatus.PendingSend, (await fixture.Row(third)).Status);
        await fixture.Node.End(open.Session.SessionId);
        await fixture.Node.ConfirmCode(third, last);
    }

    [Theory]
    [BothEngines]
    public async Task A_confirmation_takes_at_most_five_round_trips(Engine engine)
    {
        await using var fixture = await ChallengeFixture.Create(engine);
        foreach (var address in new[] { (await fixture.Node.NewUser()).Email, fixture.NewAddress() })
        {
            var (id, code) = await fixture.Challenge(address);
            var before = fixture.Node.Database.RoundTrips;
            await fixture.Node.ConfirmCode(id, code);
            Assert.InRange(fixture.Node.Database.RoundTrips - before, 1, 5);
        }
    }
}
