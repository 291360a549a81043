using Gatehouse.Audit;
using Gatehouse.Challenges;
using Gatehouse.Delivery;
using Gatehouse.Keys;
using Gatehouse.Passwords;
using Gatehouse.Projection;
using Gatehouse.Sessions;
using Gatehouse.Storage;
using Gatehouse.Tests.Keys;
using Gatehouse.Tests.Storage;
using Gatehouse.Throttling;
using Gatehouse.Tokens;
using Gatehouse.Users;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Gatehouse.Tests.Sessions;

/// <summary>The use cases around sessions, composed as one process has them.</summary>
internal sealed class SessionNode : IDisposable
{
    public static readonly Origin Origin = new("req_test", "203.0.113.7", "203.0.113.7", "a test");

    private readonly PasswordHashing hashing;
    private readonly OpenSession open;
    private readonly RefreshSession refresh;
    private readonly AccessTokenIssuer issuer;
    private readonly BearerCheck bearer;
    private int users;

    private SessionNode(
        Database raw, Database? feed, KeyRing keys, TimeProvider time, SessionOptions options, ThrottleOptions throttles)
    {
        var random = new Randomness(time);
        var tokens = new TokenOptions { Issuer = "https://auth.example.com" };
        var verifier = new AccessTokenVerifier(keys, time, tokens);
        Database = new ObservedDatabase(raw);
        Audit = new AuditLog(Database, random, time);
        View = new FeedView(time, new ProjectionOptions { MaxStaleness = TimeSpan.FromDays(1000) });
        Cache = new SessionCache(new SessionStore(Database, time), View, time, options);
        ISessionProjection projection = feed is null ? new StoreProjection(Database) : new SeparateProjection(Database, feed, time);
        Signal = new FeedSignal();
        var wakeUp = new FeedWakeUp(projection, Signal, time, NullLogger<FeedWakeUp>.Instance);
        var publisher = new SessionPublisher(projection, Cache, wakeUp, time);
        Revoke = new RevokeSessions(Database, publisher, Audit, time);
        Repairer = new ProjectionRepairer(Database, projection, Revoke, time, NullLogger<ProjectionRepairer>.Instance);
        Block = new BlockUser(Database, Revoke, keys, Audit, time);
        Delete = new DeleteUser(Revoke, Audit);
        SignOut = new SignOut(verifier, keys, Cache, Revoke);
        Feed = new SessionFeed(feed is null ? new StoreProjection(raw) : projection, random, time);
        Limit = new SessionLimit(Database, Audit, options);
        var codes = new ChallengeCodes(keys);
        var challenges = new ChallengeOptions();
        var throttle = new Throttle(Database, time, throttles);
        Codes = codes;
        hashing = new PasswordHashing(new PasswordOptions { MemoryKiB = 8, Passes = 1, Threads = 1 }, random, time);
        AddUser = new AddUser(Database, hashing, Audit, random, time);
        open = new OpenSession(Database, keys, Cache, publisher, Audit, random, time, options);
        var outbox = new Outbox(time, random);
        Send = new SendCode(Database, throttle, keys, outbox, Audit, random, time, challenges);
        Confirm = new ConfirmEmailCode(
            Database, codes, keys, open, publisher, new SessionTokens(Database, keys), throttle, Audit, random, time, challenges);
        Delivery = new ChallengeDelivery(Database, codes, keys, throttle, time, challenges);
        refresh = new RefreshSession(Database, keys, Revoke, Audit, outbox, time, options, throttles);
        issuer = new AccessTokenIssuer(new AccessTokenSigner(keys), random, time, tokens);
        bearer = new BearerCheck(verifier, Cache, time);
    }

    public ObservedDatabase Database { get; }

    public AuditLog Audit { get; }

    public SessionCache Cache { get; }

    public FeedView View { get; }

    public FeedSignal Signal { get; }

    public ProjectionRepairer Repairer { get; }

    public ChallengeCodes Codes { get; }

    public SendCode Send { get; }

    public ConfirmEmailCode Confirm { get; }

    public ChallengeDelivery Delivery { get; }

    public SessionLimit Limit { get; }

    public RevokeSessions Revoke { get; }

    public BlockUser Block { get; }

    public DeleteUser Delete { get; }

    public SignOut SignOut { get; }

    public SessionFeed Feed { get; }

    public AddUser AddUser { get; }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<SessionNode> Start(
        Database raw, Database? feed, TimeProvider time, SessionOptions options, ThrottleOptions throttles)
    {
        var keys = await KeyRing.Open(raw, KeyFixture.Master, new Randomness(time), time, new KeyOptions(), Ct);
        return new SessionNode(raw, feed, keys, time, options, throttles);
    }

    /// <summary>A user who may sign in.</summary>
    public async Task<User> NewUser(string? email = null)
    {
        var wanted = new NewUser(email ?? $"user{Interlocked.Increment(ref users)}@example.com", null, "Ada", "Lovelace");
        return Assert.IsType<AddUserOutcome.Added>(await AddUser.Add(wanted, Actor.System, Origin, Ct)).User;
    }

    /// <summary>What comes of a sign-in by somebody whose credential was found right when they looked like this.</summary>
    public Task<OpenOutcome> TryOpen(User user, string kind = SessionKind.Browser, bool rememberMe = true) => open.Open(
        new NewSession(new Claimant.ByCredential(user.UserId, user.AuthEpoch), kind, "password", "pwd", rememberMe, Origin), _ => { }, Ct);

    public async Task<OpenedSession> Open(User user, string kind = SessionKind.Browser, bool rememberMe = true) =>
        Assert.IsType<OpenOutcome.Opened>(await TryOpen(user, kind, rememberMe)).Session;

    public async Task<OpenedSession> OpenForNewUser() => await Open(await NewUser());

    /// <summary>Asks for a code to sign in with, and returns the challenge's id.</summary>
    public async Task<Guid> SendCode(string address, string from = "203.0.113.7") => Assert.IsType<SendCodeOutcome.Accepted>(
        await Send.Send(
            new CodeRequest(ChallengePurpose.EmailSignIn, address, "sign_in_code", "en-US", Origin with { Ip = from, IpPrefix = from }), Ct))
        .ChallengeId;

    /// <summary>Hands a code in.</summary>
    public Task<ConfirmOutcome> TryConfirm(Guid challenge, string code, string jkt = "", string device = "") => Confirm.Confirm(
        new CodeConfirmation(challenge, code, jkt, device, "", Preferences.Default, RememberMe: true, Origin), Ct);

    /// <summary>The session that the code opens.</summary>
    public async Task<ConfirmOutcome.Confirmed> ConfirmCode(Guid challenge, string code) =>
        Assert.IsType<ConfirmOutcome.Confirmed>(await TryConfirm(challenge, code));

    /// <summary>What became visible in the feed since the last look.</summary>
    public async Task<IReadOnlyList<SessionSnapshot>> ReadFeed() => (await Feed.Read(withHeartbeat: false, Ct)).Changes;

    public Task<RefreshOutcome> TryRefresh(string token, string retryKey = "", string client = "", string jkt = "", bool rotate = true) =>
        refresh.Refresh(new RefreshRequest(token, retryKey, client, jkt, rotate, Origin), Ct);

    /// <summary>The successor of a token that is good.</summary>
    public async Task<string> Refresh(string token, string retryKey = "") =>
        Assert.IsType<RefreshOutcome.Refreshed>(await TryRefresh(token, retryKey)).RefreshToken;

    public Task<IReadOnlyList<SessionSnapshot>> End(Guid sessionId, string reason = "logout") =>
        Revoke.One(sessionId, reason, Actor.System, Origin, Ct);

    public Task<IReadOnlyList<SessionSnapshot>> EndAll(Guid userId, Guid? except = null) =>
        Revoke.AllOfUser(userId, except, "logout_all", Actor.System, Origin, Ct);

    public Task<EndUserOutcome> BlockThem(Guid userId) => Block.Block(BlockTarget.User(userId), "abuse", Actor.System, Origin, Ct);

    /// <summary>What every use case that changes a credential does: raises the epoch and ends the sessions, in one transaction.</summary>
    public Task ChangePassword(Guid userId) => Revoke.Run(
        async tx =>
        {
            await tx.Execute(SessionRows.RaiseEpoch, Ct, ("user", userId));
            return new Ended(await Revoke.AllOfUserIn(tx, userId, except: null, "password_changed", Actor.System, Ct), []);
        },
        Actor.System,
        Origin,
        Ct);

    public string Issue(SessionSnapshot session) => issuer.Issue(session, TimeSpan.FromHours(1)).Text;

    /// <summary>What an access token of the session is worth here at this moment.</summary>
    public async Task<BearerFailure> Check(SessionSnapshot session) => (await bearer.Check(Issue(session).AsMemory(), Ct)).Failure;

    public async Task<BearerFailure> CheckToken(string token) => (await bearer.Check(token.AsMemory(), Ct)).Failure;

    public void Dispose() => hashing.Dispose();
}
