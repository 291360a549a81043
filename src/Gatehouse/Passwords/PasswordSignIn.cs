using Gatehouse.Audit;
using Gatehouse.Keys;
using Gatehouse.Sessions;
using Gatehouse.Storage;
using Gatehouse.Throttling;
using Gatehouse.Users;

namespace Gatehouse.Passwords;

/// <summary>A sign-in with e-mail and password.</summary>
public sealed record PasswordCredential(string Email, string Password, bool RememberMe, Origin Origin);

/// <summary>What came of a sign-in.</summary>
public abstract record SignInOutcome
{
    /// <summary>The user is in.</summary>
    public sealed record SignedIn(OpenedSession Session, Permit Permit) : SignInOutcome;

    /// <summary>No such user, wrong password, or blocked: the answer is the same for all.</summary>
    public sealed record InvalidCredentials(Permit Permit) : SignInOutcome;

    /// <summary>Too many attempts; nothing was hashed.</summary>
    public sealed record Throttled(Permit Permit) : SignInOutcome;

    /// <summary>The policy refuses one more session.</summary>
    public sealed record SessionLimitReached : SignInOutcome;

    /// <summary>Too many passwords wait to be hashed; nothing was decided.</summary>
    public sealed record Busy : SignInOutcome;
}

/// <summary>
/// Signs a user in: (1) a permit for the address, (2) the user, (3) a permit for the account, (4) the hash, (5) the session. Permits
/// are taken before the work they guard; a success gives exactly its own back. Known and unknown addresses take the same steps.
/// </summary>
public sealed class PasswordSignIn(
    Database database,
    KeyRing keys,
    Throttle throttle,
    PasswordHashing hashing,
    OpenSession open,
    AuditLog audit,
    TimeProvider time,
    ThrottleOptions throttles)
{
    private static readonly TimeSpan KnownFor = TimeSpan.FromDays(30);

    private static readonly Sql FindForSignIn = new($"""
        SELECT {UserStore.Columns},
            (SELECT count(*) FROM (
                SELECT 1 FROM sessions
                WHERE session_user_id = user_id AND ip_prefix = @prefix AND last_accessed_at > @since LIMIT 1) AS known)
        FROM users WHERE email = @email AND email <> ''
        """);

    private static readonly Sql Rehash = new("UPDATE users SET password_hash = @new WHERE user_id = @user AND password_hash = @old");

    /// <summary>Signs in, or says no in a way that tells nothing about the account.</summary>
    public async Task<SignInOutcome> SignIn(PasswordCredential credential, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(credential);
        var origin = credential.Origin;
        var addressPermit = await throttle.Reserve($"login:{origin.IpPrefix}", throttles.Login, ct);
        if (!addressPermit.Granted)
        {
            return new SignInOutcome.Throttled(addressPermit);
        }

        var email = EmailAddress.Normalize(credential.Email);
        var addressHash = keys.HashAddress(email);
        var found = await Find(email, origin.IpPrefix, ct);

        // A place the user comes from has a bucket of its own, so that guessing from elsewhere cannot lock them out of home.
        var accountKey = found is { IsKnownPlace: true } ? $"account:{addressHash}:{origin.IpPrefix}" : $"account:{addressHash}";
        var accountPermit = await throttle.Reserve(accountKey, throttles.Account, ct);
        if (!accountPermit.Granted)
        {
            return new SignInOutcome.Throttled(accountPermit);
        }

        var storedHash = found?.User.PasswordHash is { Length: > 0 } hash ? hash : null;
        var check = await hashing.Verify(credential.Password, storedHash, ct);
        if (check == PasswordCheck.Busy)
        {
            await GiveBack(addressPermit, accountPermit, ct);
            return new SignInOutcome.Busy();
        }

        if (check == PasswordCheck.Wrong || found is null)
        {
            return await Refuse(found?.User, addressHash, addressPermit, origin, ct);
        }

        var user = found.User;
        var wanted = new NewSession(
            new Claimant.ByCredential(user.UserId, user.AuthEpoch), SessionKind.Browser, "password", "pwd", credential.RememberMe, origin);
        var strongerHash = check == PasswordCheck.RightButOutdated ? await Strengthen(credential.Password, ct) : null;
        switch (await open.Open(wanted, Alongside, ct))
        {
            case OpenOutcome.Opened opened:
                return new SignInOutcome.SignedIn(opened.Session, addressPermit.Returned);
            case OpenOutcome.LimitReached:
                await GiveBack(addressPermit, accountPermit, ct);
                return new SignInOutcome.SessionLimitReached();
            default:
                return await Refuse(user, addressHash, addressPermit, origin, ct);
        }

        void Alongside(Batch batch)
        {
            if (strongerHash is not null)
            {
                batch.Add(Rehash, ("user", user.UserId), ("new", strongerHash), ("old", user.PasswordHash));
            }

            Throttle.Return(batch, addressPermit);
            Throttle.Return(batch, accountPermit);
        }
    }

    private Task<FoundUser?> Find(string email, string ipPrefix, CancellationToken ct) => database.QueryOne(
        FindForSignIn,
        row => new FoundUser(UserStore.Read(row), row.Flag(UserStore.ColumnCount)),
        ct,
        ("email", email),
        ("prefix", ipPrefix),
        ("since", time.Now() - KnownFor.Milliseconds()));

    private async Task<SignInOutcome> Refuse(User? user, string addressHash, Permit permit, Origin origin, CancellationToken ct)
    {
        var actor = user is null ? new Actor("user", "") : Actor.User(user.UserId);
        await audit.Write(
            new AuditEvent("session.sign_in", "failure", actor, origin)
            {
                UserId = user?.UserId,
                AddressHash = addressHash,
                Details = "invalid_credentials",
            },
            ct);
        return new SignInOutcome.InvalidCredentials(permit);
    }

    // Parameters rose since the hash was made. If the hashing queue is full, the next sign-in does it.
    private async Task<string?> Strengthen(string password, CancellationToken ct) =>
        await hashing.Hash(password, ct) is HashedPassword.Done done ? done.Hash : null;

    // Nothing was decided about the password, so nothing was guessed.
    private Task GiveBack(Permit address, Permit account, CancellationToken ct)
    {
        var batch = new Batch();
        Throttle.Return(batch, address);
        Throttle.Return(batch, account);
        return database.Run(batch, ct);
    }

    private sealed record FoundUser(User User, bool IsKnownPlace);
}
