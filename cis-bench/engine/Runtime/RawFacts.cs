using Microsoft.Win32.SafeHandles;
using Talos.Checks.Probes;

namespace Talos.Checks;

/// <summary>
/// The files behind sysctls and mounts, held open and compared byte by byte: one call for each file and nothing to clean up after, so that
/// looking twice a second costs next to nothing. Says only that something changed; what, <see cref="FactSnapshot"/> tells.
/// </summary>
sealed class RawFacts : IDisposable
{
    // LIMIT: a page is all that the kernel gives of a sysctl; a table of mounts that is longer is compared by its beginning and looked at with the rest.
    const int MaxBytes = 64 << 10;

    // Less than a page by more than the longest line of a table.
    const int Piece = 1_024;

    readonly List<(SafeFileHandle File, byte[] Last)> _files = [];
    readonly byte[] _buffer = new byte[MaxBytes];

    public RawFacts(ProbeRoot root, WatchedFacts watched)
    {
        var files = new RootFiles(root.Path);
        foreach (var path in watched.Sysctls.Keys.Select(KernelProbes.SysctlPath).Append(MountTable.Path))
        {
            if (files.Resolve(path) is not { } host || !File.Exists(host)) continue;
            try
            {
                _files.Add((File.OpenHandle(host, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete), []));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Write-only, or closed to us: whether that changes is seen when everything is looked at.
            }
        }
        HaveChanged();
    }

    /// <summary>Whether a file reads differently than the last time.</summary>
    public bool HaveChanged()
    {
        var changed = false;
        for (var i = 0; i < _files.Count; i++)
        {
            var (file, last) = _files[i];
            var now = Read(file);
            if (now.SequenceEqual(last)) continue;
            _files[i] = (file, now.ToArray());
            changed = true;
        }
        return changed;
    }

    public void Dispose()
    {
        foreach (var (file, _) in _files) file.Dispose();
    }

    ReadOnlySpan<byte> Read(SafeFileHandle file)
    {
        try
        {
            var length = RandomAccess.Read(file, _buffer, 0);
            // proc_sys_call_handler: a sysctl comes in one piece. A table of mounts comes in pieces of about a page.
            while (length >= Piece && length < MaxBytes && RandomAccess.Read(file, _buffer.AsSpan(length), length) is var more and > 0) length += more;
            return _buffer.AsSpan(0, length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Reads as nothing, which is a change, and is looked at closely.
            return [];
        }
    }
}
