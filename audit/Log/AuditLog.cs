using System.Security.Cryptography;
using Google.Protobuf;

namespace Talos.Audit;

/// <summary>
/// The append-only record of one node: a Merkle log in the form of C2SP tlog-tiles. An entry is acknowledged when it is on disk; it is
/// under a signed checkpoint at most <see cref="AuditLogOptions.CheckpointInterval"/> later. One process at a time; safe for any number of
/// threads.
/// </summary>
public sealed partial class AuditLog : IAsyncDisposable, IDisposable
{
    readonly AuditLogOptions _options;
    readonly TimeProvider _time;
    readonly TileStore _store;
    readonly FileStream _lock;
    readonly Journal _journal;
    readonly byte[] _bootId;
    readonly Thread _writer;

    AuditLog(string directory, AuditLogOptions options)
    {
        _options = options;
        _time = options.TimeProvider;
        _store = new TileStore(directory);
        _bootId = (options.BootId ?? KernelBootId()).ToByteArray(bigEndian: true);
        _stamp = new Entry { Node = options.Node, BootId = ByteString.CopyFrom(_bootId), Attestation = options.Attestation }.ToByteArray();
        _lock = TakeLock(_store.PathOf("lock"));
        try
        {
            _store.Recycle();
            _journal = Journal.Open(directory, options.JournalBytes);
        }
        catch
        {
            _lock.Dispose();
            throw;
        }
        _writer = new Thread(WriteBatches) { IsBackground = true, Name = "audit writer" };
        _publishTimer = _time.CreateTimer(
            static state => ((AuditLog)state!).PublishOnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Name of the log, the first line of its checkpoints.</summary>
    public string Origin => _options.Signer.Key.Name;

    /// <summary>The key that verifies this log's checkpoints.</summary>
    public NoteVerifierKey Key => _options.Signer.Key;

    /// <summary>No entry of this boot was there when the log was opened.</summary>
    public bool IsFirstOfBoot { get; private set; }

    /// <summary>The directory that the log lies in.</summary>
    public string Directory => _store.Directory;

    /// <summary>
    /// Opens the log in <paramref name="directory"/>, or makes one there. What a crash left is repaired and the repair is recorded. Throws
    /// <see cref="AuditLogException"/>: <see cref="AuditLogReason.InUse"/>, <see cref="AuditLogReason.Damaged"/> when files contradict the
    /// last checkpoint, <see cref="AuditLogReason.ForeignLog"/>, <see cref="AuditLogReason.DiskFull"/>.
    /// </summary>
    public static AuditLog Open(string directory, AuditLogOptions options)
    {
        if (options.JournalBytes < 8 * 1024 * 1024) throw new ArgumentException("the journal has at least 8 MiB", nameof(options));
        try
        {
            System.IO.Directory.CreateDirectory(
                directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            AuditLog log = new(Path.GetFullPath(directory), options);
            try
            {
                log.Recover();
                return log;
            }
            catch
            {
                // Nothing is signed here: what could not be opened must not get a new signature.
                log.StopWriting();
                log.Close();
                throw;
            }
        }
        catch (Exception e) when (e is (IOException or UnauthorizedAccessException) and not AuditLogException)
        {
            throw Translate(e, $"the audit log in `{directory}` could not be opened");
        }
    }

    static FileStream TakeLock(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e.GetType() == typeof(IOException) && !IsDiskFull(e))
        {
            throw new AuditLogException(AuditLogReason.InUse, "another process has the audit log open", e);
        }
    }

    static Guid KernelBootId()
    {
        const string path = "/proc/sys/kernel/random/boot_id";
        return File.Exists(path) && Guid.TryParse(File.ReadAllText(path).Trim(), out Guid id)
            ? id
            : new Guid(RandomNumberGenerator.GetBytes(16));
    }

    // ENOSPC, EDQUOT and EFBIG: .NET reports the first two by this HResult's low word or by errno.
    static bool IsDiskFull(Exception e) => e is IOException && (e.HResult & 0xffff) is 0x70 or 28 or 122 or 27;

    static AuditLogException Translate(Exception e, string what) =>
        IsDiskFull(e)
            ? new AuditLogException(AuditLogReason.DiskFull, $"{what}: no space left on the file system", e)
            : new AuditLogException(AuditLogReason.WriteFailed, $"{what}: {e.Message}", e);

    /// <summary>Writes what is queued, signs a last checkpoint and closes the files. Appends that come later fail.</summary>
    public async ValueTask DisposeAsync() => await Task.Run(Dispose).ConfigureAwait(false);

    /// <inheritdoc cref="DisposeAsync" />
    public void Dispose()
    {
        if (!StopWriting()) return;
        try
        {
            PublishNow();
        }
        catch (AuditLogException)
        {
            // The entries are durable; the next open signs the checkpoint and records that this one could not.
        }
        WakeFollowers();
        Close();
    }

    // Lets the writer finish what is queued. False when that was done before.
    bool StopWriting()
    {
        lock (_gate)
        {
            if (_closed) return false;
            _closed = true;
            Monitor.PulseAll(_gate);
        }
        if (_writer.IsAlive) _writer.Join();
        return true;
    }

    void Close()
    {
        lock (_publishGate) _publishTimer.Dispose();
        // Its failure would matter to the next rotation only, and there is none.
        Task.WhenAny(_settling).Wait();
        _journal.Dispose();
        _lock.Dispose();
    }
}
