using System.Text;

namespace Talos.Audit;

public sealed partial class AuditLog
{
    readonly Lock _publishGate = new();
    readonly ITimer _publishTimer;
    AuditCheckpoint? _checkpoint;
    bool _publishScheduled;
    AuditLogException? _publishError;

    /// <summary>The newest signed checkpoint. It may be behind <see cref="Size"/> by up to the checkpoint interval.</summary>
    public AuditCheckpoint Checkpoint => Volatile.Read(ref _checkpoint) ?? throw new InvalidOperationException("the log is not open");

    /// <summary>Why the last checkpoint could not be written; null when it could.</summary>
    public AuditLogException? CheckpointError => Volatile.Read(ref _publishError);

    void SchedulePublish()
    {
        if (Volatile.Read(ref _publishScheduled)) return;
        Volatile.Write(ref _publishScheduled, true);
        try
        {
            _publishTimer.Change(_options.CheckpointInterval, Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
            // Closing; Dispose signs the last checkpoint itself.
        }
    }

    void PublishOnTimer()
    {
        try
        {
            PublishNow();
        }
        catch (AuditLogException)
        {
            // Kept in CheckpointError; tried again with the next commit.
        }
    }

    /// <summary>Signs a checkpoint over everything that is on disk, unless there is one already, and returns it.</summary>
    public AuditCheckpoint PublishNow()
    {
        lock (_publishGate)
        {
            Volatile.Write(ref _publishScheduled, false);
            EdgeTiles edge;
            byte[] bundle;
            lock (_state)
            {
                if (_checkpoint?.Size == _edge.Size) return _checkpoint;
                edge = _edge.Copy();
                bundle = _bundle[.._bundleBytes];
            }
            AuditCheckpoint signed = AuditCheckpoint.Sign(Origin, edge.Size, edge.Root(), _options.Signer);
            try
            {
                WritePartials(edge, bundle);
                _store.Replace(TilePath.Checkpoint, Encoding.UTF8.GetBytes(signed.Note));
                if (_checkpoint is { } previous) RetirePartials(previous.Size, edge.Size);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                AuditLogException error = Translate(e, "the checkpoint could not be written");
                Volatile.Write(ref _publishError, error);
                throw error;
            }
            Volatile.Write(ref _publishError, null);
            Volatile.Write(ref _checkpoint, signed);
            return signed;
        }
    }

    void WritePartials(EdgeTiles edge, byte[] bundle)
    {
        if (edge.WidthAt(0) is int open and not 0) _store.Write(TilePath.Entries(edge.Size / TilePath.Width, open), bundle);
        for (int level = 0; level < edge.Levels; level++)
        {
            int width = edge.WidthAt(level);
            if (width != 0) _store.Write(TilePath.Hashes(level, edge.Size >> (TilePath.Height * (level + 1)), width), edge.Hashes(level));
        }
    }

    // The partial files of the previous checkpoint, as far as the new one does not have the same.
    void RetirePartials(ulong old, ulong now)
    {
        if (PartialWidth(old, 0) is int open and not 0) _store.Retire(TilePath.Entries(old / TilePath.Width, open));
        for (int level = 0; old >> (TilePath.Height * level) != 0; level++)
        {
            int width = PartialWidth(old, level);
            bool same = old >> (TilePath.Height * level) == now >> (TilePath.Height * level);
            if (width != 0 && !same) _store.Retire(TilePath.Hashes(level, old >> (TilePath.Height * (level + 1)), width));
        }
    }

    internal static int PartialWidth(ulong size, int level) => (int)((size >> (TilePath.Height * level)) % TilePath.Width);
}
