using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Talos.Linux.Kernel;

namespace Talos.Trustd.Ledger;

/// <summary>
/// The ledger in SQLite (WAL, synchronous=FULL). A write that returned is on the disk: writes of
/// concurrent callers share a transaction and its fsync, and none is acknowledged before that fsync. A write that failed changed nothing.
/// </summary>
sealed partial class CertificateLedger : ICertificateLedger
{
    // LIMIT: a batch holds the writer for one fsync and this many statements; more would only add delay.
    const int MaxBatch = 512;

    // A transaction costs as much as ten of its writes: its pages and its fsync. Where several callers write at a time, a thousand a second serve all of
    // them; one caller alone never waits for others.
    static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(1);

    // When nobody came for so long, everybody who could waits for this transaction.
    static readonly TimeSpan Quiet = TimeSpan.FromMicroseconds(150);

    const int FewCallers = 4;

    // LIMIT: as many callers as the server admits; beyond that they wait for room, which slows them and nobody else.
    const int MaxQueued = 4096;

    readonly string path;
    readonly TimeProvider time;
    readonly SqliteConnection writer;
    readonly object gate = new();
    readonly Queue<Write> queue = new();
    readonly SemaphoreSlim room = new(MaxQueued);
    readonly Thread loop;
    readonly WalKeeper wal;
    readonly ConcurrentBag<SqliteConnection> readers = [];
    readonly Dictionary<string, LedgerStatement> statements = new(ReferenceEqualityComparer.Instance);
    readonly Action<string>? complain;
    readonly long opened;
    bool closed;
    bool isFailing;
    long ordinal;

    // Of the transaction under way: an authority that is known to sign. Zero is none.
    long signing;

    CertificateLedger(string path, TimeProvider time, SqliteConnection writer, Action<string>? complain)
    {
        this.complain = complain;
        this.path = path;
        this.time = time;
        this.writer = writer;
        opened = Now();
        wal = new WalKeeper(writer, () => Connect(path, SqliteOpenMode.ReadWrite));
        // A thread of its own: it waits for the disk most of the time, and the pool has one worker a processor.
        loop = new Thread(RunBatches) { IsBackground = true, Name = "ledger writer" };
        loop.Start();
    }

    /// <summary>Opens the ledger, making it when it is not there. The file is readable by its owner alone.</summary>
    /// <exception cref="LedgerException">The file is no ledger, is from a newer release, or cannot be opened.</exception>
    /// <param name="path">The file.</param>
    /// <param name="time">The clock.</param>
    /// <param name="tell">Hears of what takes time while it opens; null when nobody listens.</param>
    /// <param name="complain">Hears each time that the ledger cannot be read, and when it cannot be written any more; null when nobody listens.</param>
    public static CertificateLedger Open(string path, TimeProvider time, Action<string>? tell = null, Action<string>? complain = null)
    {
        SqliteConnection? writer = null;
        try
        {
            // SQLite gives the file the process's umask; made here first, it never exists with wider permissions.
            if (!File.Exists(path))
                using (new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite })) { }
            writer = Connect(path, SqliteOpenMode.ReadWrite);
            LedgerSchema.Apply(writer, tell);
            return new CertificateLedger(path, time, writer, complain);
        }
        catch (LedgerException)
        {
            writer?.Dispose();
            throw;
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            // The last connection that closes takes the log with it: what an unfinished step wrote there must not fill the disk for good.
            writer?.Dispose();
            throw new LedgerException($"cannot open the ledger `{path}`: {e.Message}", "check that the state file system is mounted and has room; an older ledger needs three times its size to be brought up to date", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        lock (gate)
        {
            closed = true;
            Monitor.Pulse(gate);
        }
        await Task.Run(loop.Join);
        await wal.Idle;
        foreach (var statement in statements.Values) statement.Dispose();
        await writer.DisposeAsync();
        room.Dispose();
        while (readers.TryTake(out var reader)) await reader.DisposeAsync();
    }

    /// <summary>Reads over a connection that is kept for the next reader: opening one costs more than most queries. One that failed is not kept.</summary>
    T Read<T>(Func<SqliteConnection, T> read)
    {
        SqliteConnection? connection = null;
        try
        {
            if (!readers.TryTake(out connection)) connection = Connect(path, SqliteOpenMode.ReadOnly);
            var found = read(connection);
            readers.Add(connection);
            return found;
        }
        catch (SqliteException e)
        {
            connection?.Dispose();
            var failure = new LedgerException($"cannot read the ledger `{path}`: {e.Message}", "check the state file system and its disk; a ledger that is damaged has to come back from a backup", e);
            complain?.Invoke(failure.Message);
            throw failure;
        }
        catch
        {
            connection?.Dispose();
            throw;
        }
    }

    static SqliteConnection Connect(string path, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = false, DefaultTimeout = 5 }.ConnectionString);
        connection.Open();
        using var pragma = connection.CreateCommand();
        pragma.CommandText = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; " +
            "PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = 0;";
        pragma.ExecuteNonQuery();
        return connection;
    }

    /// <summary>Runs <paramref name="work"/> inside the next transaction; returns once that is durable.</summary>
    Task<T> WriteAsync<T>(Func<SqliteConnection, T> work, CancellationToken cancellation) => WriteAsync(new Write<T>(work) { NeedsSavepoint = true }, cancellation);

    /// <summary>
    /// The same for work that changes at most one row by one statement: SQLite undoes such a statement by itself when it fails (sqlite.org/lang_conflict.html,
    /// ABORT), without the savepoint, whose journal is 64 KiB of fresh memory each time.
    /// </summary>
    Task<T> WriteRowAsync<T>(Func<SqliteConnection, T> work, CancellationToken cancellation) => WriteAsync(new Write<T>(work), cancellation);

    async Task<T> WriteAsync<T>(Write<T> write, CancellationToken cancellation)
    {
        await room.WaitAsync(cancellation);
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(closed, this);
            queue.Enqueue(write);
            if (queue.Count == 1) Monitor.Pulse(gate);
        }
        // From here on the write may already be on the disk, so giving up would leave the caller with a wrong answer.
        return await write.Task;
    }

    void RunBatches()
    {
        var batch = new List<Write>();
        var begun = 0L;
        while (true)
        {
            lock (gate)
            {
                while (queue.Count == 0)
                {
                    if (closed) return;
                    Monitor.Wait(gate);
                }
            }
            if (batch.Count >= FewCallers) Gather(begun);
            begun = Stopwatch.GetTimestamp();
            lock (gate)
            {
                batch.Clear();
                while (batch.Count < MaxBatch && queue.TryDequeue(out var write)) batch.Add(write);
            }
            room.Release(batch.Count);
            Commit(batch);
            wal.Written(batch.Count);
        }
    }

    void Gather(long begun)
    {
        var before = -1;
        while (Stopwatch.GetElapsedTime(begun) < Gathering)
        {
            lock (gate)
            {
                if (closed || queue.Count >= MaxBatch || queue.Count == before) return;
                before = queue.Count;
            }
            Pause.For(Quiet);
        }
    }

    void Commit(List<Write> batch)
    {
        try
        {
            signing = 0;
            Run("BEGIN IMMEDIATE");
            foreach (var write in batch)
            {
                // One caller's refusal must not undo what others in the batch wrote.
                if (!write.NeedsSavepoint)
                {
                    write.TryRun(writer);
                    continue;
                }
                signing = 0;
                Run("SAVEPOINT write");
                if (!write.TryRun(writer)) Run("ROLLBACK TO write");
                Run("RELEASE write");
            }
            Run("COMMIT");
            isFailing = false;
            foreach (var write in batch) write.Complete();
        }
        catch (SqliteException e)
        {
            Abandon();
            var failure = new LedgerException($"cannot write the ledger `{path}`: {e.Message}", "check that the state file system has room; nothing was issued or changed", e);
            // Once, until something is written again: on a full disk everyone who comes would add a line.
            if (!isFailing) complain?.Invoke(failure.Message);
            isFailing = true;
            foreach (var write in batch) write.Fail(failure);
        }
    }

    void Abandon()
    {
        // After some faults, a full disk among them, SQLite has rolled back by itself (sqlite.org/lang_transaction.html §3).
        if (SQLitePCL.raw.sqlite3_get_autocommit(writer.Handle!) == 0) Run("ROLLBACK");
    }

    void Run(string statement) => Prepared(statement).Run();

    /// <summary>A statement of the writer, parsed once. Only the loop uses it, so one at a time.</summary>
    /// <param name="sql">A literal: statements are told apart by the string itself.</param>
    LedgerStatement Prepared(string sql)
    {
        if (!statements.TryGetValue(sql, out var known)) statements.Add(sql, known = new LedgerStatement(writer, sql));
        return known;
    }

    abstract class Write
    {
        public bool NeedsSavepoint { get; init; }

        public abstract bool TryRun(SqliteConnection connection);
        public abstract void Complete();
        public abstract void Fail(Exception failure);
    }

    sealed class Write<T>(Func<SqliteConnection, T> work) : Write
    {
        readonly TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        T? result;
        Exception? refusal;

        public Task<T> Task => done.Task;

        public override bool TryRun(SqliteConnection connection)
        {
            try
            {
                result = work(connection);
                return true;
            }
            // 19 is SQLITE_CONSTRAINT: this write broke a rule of the schema; anything else concerns the whole transaction.
            catch (SqliteException e) when (e.SqliteErrorCode == 19)
            {
                refusal = new LedgerException($"the ledger refuses the entry: {e.Message}", "the serial or token exists already", e);
                return false;
            }
            // A caller's own error is the caller's to handle; here it would end the loop that everyone waits for.
            catch (Exception e) when (e is not SqliteException)
            {
                refusal = e;
                return false;
            }
        }

        public override void Complete()
        {
            if (refusal is null) done.TrySetResult(result!);
            else done.TrySetException(refusal);
        }

        public override void Fail(Exception failure) => done.TrySetException(failure);
    }
}
