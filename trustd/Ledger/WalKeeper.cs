using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Talos.Trustd.Ledger;

/// <summary>
/// Moves what is committed from the write-ahead log into the database without making writers wait for it: nearly all of it on another connection while
/// commits go on, the rest between two batches. Then the log begins anew in the same file (sqlite.org/wal.html §2.3).
/// </summary>
sealed class WalKeeper(SqliteConnection writer, Func<SqliteConnection> connect)
{
    // LIMIT: a write is about two pages, so the log grows to some 50 MB under load.
    const int WritesBetween = 6144;

    int written;
    volatile bool isMostlyDone;

    /// <summary>Ends when nothing is being moved.</summary>
    public Task Idle { get; private set; } = Task.CompletedTask;

    /// <summary>Called by the writer between two batches.</summary>
    public void Written(int writes)
    {
        written += writes;
        if (written < WritesBetween || !Idle.IsCompleted) return;
        if (isMostlyDone)
        {
            isMostlyDone = false;
            written = 0;
            Move(writer);
            return;
        }
        Idle = Task.Factory.StartNew(MoveAside, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    void MoveAside()
    {
        try
        {
            using var connection = connect();
            Move(connection);
        }
        catch (SqliteException)
        {
            // The next commit meets the same disk and says so; until then everything is in the log.
        }
        isMostlyDone = true;
    }

    // PASSIVE waits for nobody. What it could not move, or a disk that has no room for it, is met again at the next turn.
    static void Move(SqliteConnection connection) => raw.sqlite3_wal_checkpoint_v2(connection.Handle, "main", raw.SQLITE_CHECKPOINT_PASSIVE, out _, out _);
}
