using System.Runtime.InteropServices;
using SQLitePCL;

namespace Gatehouse.Storage;

/// <summary>One SQLite connection with its prepared statements; used by one thread at a time.</summary>
internal sealed class SqliteConnection : IDisposable
{
    private static readonly Version Oldest = new(3, 35);
    private static readonly Lock Loading = new();
    private static bool loaded;

    private readonly sqlite3 handle;
    private readonly Dictionary<Sql, sqlite3_stmt> prepared = [];
    private readonly SqliteRow row = new();

    public SqliteConnection(string file, bool readOnly)
    {
        Load();
        var flags = raw.SQLITE_OPEN_NOMUTEX | (readOnly ? raw.SQLITE_OPEN_READONLY : raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE);
        var result = raw.sqlite3_open_v2(file, out handle, flags, null);
        if (result != raw.SQLITE_OK)
        {
            handle?.Dispose();
            throw new DatabaseUnavailableException($"SQLite cannot open {file}: {raw.sqlite3_errstr(result).utf8_to_string()}.");
        }

        raw.sqlite3_extended_result_codes(handle, 1);
        raw.sqlite3_busy_timeout(handle, 5000);
        Script("PRAGMA foreign_keys = ON");
    }

    /// <summary>Whether an error ended the surrounding transaction, and with it everything done in it.</summary>
    public bool TransactionIsOpen => raw.sqlite3_get_autocommit(handle) == 0;

    /// <summary>Runs a text of several statements without parameters.</summary>
    public void Script(string script)
    {
        var result = raw.sqlite3_exec(handle, script);
        if (result != raw.SQLITE_OK)
        {
            throw Failure(result);
        }
    }

    /// <summary>Runs a statement to its end and hands each row to <paramref name="accept"/>; returns the rows changed.</summary>
    public int Run<TState>(Sql sql, ReadOnlySpan<Arg> args, TState state, Func<TState, Row, bool> accept)
    {
        var statement = Prepare(sql);
        try
        {
            Bind(statement, args);
            var wantsRows = true;
            while (true)
            {
                var result = raw.sqlite3_step(statement);
                if (result == raw.SQLITE_DONE)
                {
                    return sql.IsRead ? 0 : raw.sqlite3_changes(handle);
                }

                if (result != raw.SQLITE_ROW)
                {
                    throw Failure(result);
                }

                // A write runs to its end even when its rows are no longer wanted: RETURNING yields before the last change.
                if (wantsRows)
                {
                    row.Statement = statement;
                    wantsRows = accept(state, row);
                }

                if (!wantsRows && sql.IsRead)
                {
                    return 0;
                }
            }
        }
        finally
        {
            // Reset ends the read transaction, so that an idle reader never holds back a checkpoint.
            raw.sqlite3_reset(statement);
            raw.sqlite3_clear_bindings(statement);
        }
    }

    public void Dispose()
    {
        foreach (var statement in prepared.Values)
        {
            statement.Dispose();
        }

        handle.Dispose();
    }

    private static void Bind(sqlite3_stmt statement, ReadOnlySpan<Arg> args)
    {
        Span<byte> id = stackalloc byte[16];
        for (var i = 0; i < args.Length; i++)
        {
            ref readonly var arg = ref args[i];
            switch (arg)
            {
                case { IsNull: true }:
                    raw.sqlite3_bind_null(statement, i + 1);
                    break;
                case { Type: Arg.Kind.Number }:
                    raw.sqlite3_bind_int64(statement, i + 1, arg.Number);
                    break;
                case { Type: Arg.Kind.Id }:
                    arg.Id.TryWriteBytes(id, bigEndian: true, out _);
                    raw.sqlite3_bind_blob(statement, i + 1, id);
                    break;
                case { Type: Arg.Kind.Text }:
                    raw.sqlite3_bind_text(statement, i + 1, (string)arg.Reference!);
                    break;
                default:
                    raw.sqlite3_bind_blob(statement, i + 1, (byte[])arg.Reference!);
                    break;
            }
        }
    }

    private static void Load()
    {
        lock (Loading)
        {
            if (loaded)
            {
                return;
            }

            // The system's own library gets the distribution's security fixes; a bundled copy would not.
            NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, static (_, _, _) => NativeLibrary.Load(
                OperatingSystem.IsWindows() ? "winsqlite3" : OperatingSystem.IsMacOS() ? "libsqlite3.dylib" : "libsqlite3.so.0"));
            try
            {
                raw.SetProvider(new SQLite3Provider_e_sqlite3());
            }
            catch (DllNotFoundException e)
            {
                throw new InvalidOperationException(
                    "SQLite is not installed. Install the system's library (Debian: libsqlite3-0) or set GATEHOUSE_POSTGRES.", e);
            }

            var version = raw.sqlite3_libversion().utf8_to_string();
            if (Version.Parse(version) < Oldest)
            {
                throw new InvalidOperationException($"SQLite {version} is too old: Gatehouse needs {Oldest} or newer.");
            }

            loaded = true;
        }
    }

    private sqlite3_stmt Prepare(Sql sql)
    {
        if (!prepared.TryGetValue(sql, out var statement))
        {
            var result = raw.sqlite3_prepare_v3(handle, sql.Text, raw.SQLITE_PREPARE_PERSISTENT, out statement);
            if (result != raw.SQLITE_OK)
            {
                throw Failure(result);
            }

            prepared.Add(sql, statement);
        }

        return statement;
    }

    private Exception Failure(int result)
    {
        var message = $"SQLite: {raw.sqlite3_errmsg(handle).utf8_to_string()} ({result}).";
        return (result & 0xFF) is raw.SQLITE_BUSY or raw.SQLITE_LOCKED or raw.SQLITE_FULL or raw.SQLITE_IOERR or raw.SQLITE_CANTOPEN
            ? new DatabaseUnavailableException(message)
            : new InvalidOperationException(message);
    }

    private sealed class SqliteRow : Row
    {
        public sqlite3_stmt Statement { get; set; } = null!;

        public override bool IsNull(int column) => raw.sqlite3_column_type(Statement, column) == raw.SQLITE_NULL;

        public override long Long(int column) => raw.sqlite3_column_int64(Statement, column);

        public override string Text(int column) => raw.sqlite3_column_text(Statement, column).utf8_to_string();

        public override Guid Id(int column) => new(raw.sqlite3_column_blob(Statement, column), bigEndian: true);

        public override byte[] Bytes(int column) => raw.sqlite3_column_blob(Statement, column).ToArray();
    }
}
