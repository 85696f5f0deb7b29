using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Talos.Linux.Files;

namespace Talos.Audit;

// Where entries become durable: two files, written in turn, in place. A file is written anew only when every bundle with an
// entry of it is on disk under tile/entries. The first frame of a file starts at the beginning of a bundle, so each file can be replayed
// alone.
sealed class Journal : IDisposable
{
    // Files grow to the capacity in steps and stay so: a write into room that is there is synced without a change of the file's metadata,
    // and a node that records little neither writes nor, at its start, reads megabytes of zeros.
    const int FirstStep = 256 << 10;

    readonly SafeFileHandle[] _files = new SafeFileHandle[2];
    readonly long[] _room = new long[2];
    readonly int _capacity;
    int _active;
    long _offset;
    ulong _nonce = NewNonce();

    Journal(int capacity) => _capacity = capacity;

    internal static string NameOf(int half) => half == 0 ? "journal.a" : "journal.b";

    internal static Journal Open(string directory, int capacity)
    {
        Journal journal = new(capacity);
        try
        {
            for (int half = 0; half < 2; half++) journal.OpenHalf(half, Path.Combine(directory, NameOf(half)));
            return journal;
        }
        catch
        {
            journal.Dispose();
            throw;
        }
    }

    void OpenHalf(int half, string path)
    {
        _files[half] = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        _room[half] = RandomAccess.GetLength(_files[half]);
        if (_room[half] >= FirstStep) return;
        MakeRoom(half, FirstStep);
        Sync(_files[half]);
    }

    // Zeros up to at least `end`; whoever needs them on disk syncs.
    void MakeRoom(int half, long end)
    {
        if (end <= _room[half]) return;
        long wanted = Math.Min(Math.Max(end, 2 * _room[half]), _capacity);
        byte[] zeros = new byte[64 * 1024];
        for (long at = _room[half]; at < wanted; at += zeros.Length)
            RandomAccess.Write(_files[half], zeros.AsSpan(0, (int)Math.Min(zeros.Length, wanted - at)), at);
        _room[half] = wanted;
    }

    // Everything in both files, oldest first. Appending goes on behind it.
    internal JournalContent Recover()
    {
        JournalHalf[] halves = [JournalHalf.Read(0, ReadAll(_files[0])), JournalHalf.Read(1, ReadAll(_files[1]))];
        JournalContent content = JournalContent.Join(halves);
        _active = content.ActiveHalf;
        _offset = content.ActiveOffset;
        if (!content.IsEmpty) _nonce = content.ActiveNonce;
        return content;
    }

    static byte[] ReadAll(SafeFileHandle file)
    {
        byte[] data = new byte[RandomAccess.GetLength(file)];
        int read = 0;
        while (read < data.Length)
        {
            int got = RandomAccess.Read(file, data.AsSpan(read), read);
            if (got == 0) break;
            read += got;
        }
        return data[..read];
    }

    internal bool Fits(int frameBytes) => _offset + JournalFrame.Padded(frameBytes) <= _capacity;

    // The other file takes over; what it held must be on disk elsewhere. `first` becomes its first frame; when that fails, nothing changed.
    internal void Rotate(Action first)
    {
        (int active, long offset, ulong nonce) = (_active, _offset, _nonce);
        (_active, _offset, _nonce) = (1 - _active, 0, NewNonce());
        try
        {
            first();
        }
        catch
        {
            (_active, _offset, _nonce) = (active, offset, nonce);
            throw;
        }
    }

    // `frame` has room for the header in front and for padding behind its `frameBytes`. On return it is on disk; on failure the next one
    // overwrites it.
    internal void Append(Span<byte> frame, int frameBytes, int count, ulong firstIndex)
    {
        JournalFrame.Seal(frame, frameBytes, count, firstIndex, _nonce);
        ReadOnlySpan<byte> paddedFrame = frame[..JournalFrame.Padded(frameBytes)];
        MakeRoom(_active, _offset + paddedFrame.Length);
        RandomAccess.Write(_files[_active], paddedFrame, _offset);
        Sync(_files[_active]);
        _offset += paddedFrame.Length;
    }

    // Every frame is synced, and no one reads the files' times.
    static void Sync(SafeFileHandle file)
    {
        if (OperatingSystem.IsLinux()) DataSync.Flush(file);
        else RandomAccess.FlushToDisk(file);
    }

    static ulong NewNonce() => BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8));

    public void Dispose()
    {
        foreach (SafeFileHandle? file in _files) file?.Dispose();
    }
}
