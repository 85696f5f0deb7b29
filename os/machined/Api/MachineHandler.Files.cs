using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Win32.SafeHandles;
using Talos.Api.Machine.V1;
using Talos.Linux;
using Talos.Linux.Files;

namespace Talos.Machined.Api;

sealed partial class MachineHandler
{
    // LIMIT: one message of the stream.
    const int FileChunkBytes = 64 << 10;
    // LIMIT: the largest files given out are a kernel's settings and logs; some of /sys have no end.
    const long FileBytesMaximum = 16 << 20;
    // LIMIT: /proc and /sys together have some hundred thousand entries and loops only by symbolic links, which are not followed.
    const int EntriesMaximum = 100_000;
    const int DepthMaximum = 32;

    public override async Task Read(ReadRequest request, IServerStreamWriter<FileChunk> responseStream, ServerCallContext context)
    {
        if (ReadablePaths.RefuseToRead(request.Path) is { } refusal)
            throw Refusal.Of(StatusCode.PermissionDenied, refusal);
        try
        {
            using var root = DirectoryHandle.Open("/");
            using var file = root.File(Relative(request.Path));
            if (!DirectoryHandle.Status(file).IsRegular)
                throw Refusal.Of(StatusCode.FailedPrecondition, $"`{request.Path}` is no regular file");
            await CopyAsync(file, responseStream, context.CancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Translate(request.Path, e);
        }
    }

    public override async Task List(ListRequest request, IServerStreamWriter<FileEntry> responseStream, ServerCallContext context)
    {
        if (ReadablePaths.RefuseToList(request.Path) is { } refusal)
            throw Refusal.Of(StatusCode.PermissionDenied, refusal);
        try
        {
            using var root = DirectoryHandle.Open("/");
            using var directory = root.Directory(Relative(request.Path));
            var path = ReadablePaths.Normalise(request.Path);
            var sent = 0;
            foreach (var entry in Walk(directory, path, request.Recursive ? DepthMaximum : 1))
            {
                if (++sent > EntriesMaximum)
                    throw Refusal.Of(StatusCode.ResourceExhausted, $"`{request.Path}` has more than {EntriesMaximum} entries");
                await responseStream.WriteAsync(entry, context.CancellationToken);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Translate(request.Path, e);
        }
    }

    static IEnumerable<FileEntry> Walk(DirectoryHandle directory, string path, int depth)
    {
        foreach (var name in directory.Names())
        {
            var full = path == "/" ? "/" + name : $"{path}/{name}";
            var entry = Describe(directory, name, full, out var isDirectory);
            yield return entry;
            if (!isDirectory || depth <= 1 || ReadablePaths.RefuseToList(full) is not null)
                continue;
            DirectoryHandle? below = null;
            string? failure = null;
            try
            {
                below = directory.Directory(name);
            }
            catch (LinuxException e)
            {
                failure = e.Message;
            }
            if (below is null)
            {
                yield return new FileEntry { Name = full, Error = failure };
                continue;
            }
            using (below)
            {
                foreach (var inner in Walk(below, full, depth - 1))
                    yield return inner;
            }
        }
    }

    static FileEntry Describe(DirectoryHandle directory, string name, string full, out bool isDirectory)
    {
        isDirectory = false;
        try
        {
            var status = directory.Status(name);
            isDirectory = status.IsDirectory;
            return new FileEntry
            {
                Name = full,
                Mode = status.Mode,
                Size = status.Size,
                Modified = Timestamp.FromDateTimeOffset(status.Modified),
                Uid = status.User,
                Gid = status.Group,
                // In /proc/PID links are windows into a process.
                Link = status.IsSymbolicLink && ReadablePaths.RefuseToList(full) is null ? directory.LinkTarget(name) : "",
            };
        }
        catch (LinuxException e)
        {
            return new FileEntry { Name = full, Error = e.Message };
        }
    }

    static async Task CopyAsync(SafeFileHandle file, IServerStreamWriter<FileChunk> stream, CancellationToken stop)
    {
        var buffer = new byte[FileChunkBytes];
        for (long offset = 0; offset < FileBytesMaximum;)
        {
            var length = RandomAccess.Read(file, buffer, offset);
            if (length == 0)
                return;
            offset += length;
            await stream.WriteAsync(new FileChunk { Data = ByteString.CopyFrom(buffer, 0, length) }, stop);
        }
        throw Refusal.Of(StatusCode.ResourceExhausted, $"the file has more than {FileBytesMaximum} bytes");
    }

    static string Relative(string path) => ReadablePaths.Normalise(path) is "/" ? "." : ReadablePaths.Normalise(path)[1..];

    static RpcException Translate(string path, Exception failure)
    {
        // errno(3): ENOENT, ENOTDIR, ELOOP
        return failure switch
        {
            LinuxException { Errno: 2 or 20 } => Refusal.Of(StatusCode.NotFound, $"`{path}` does not exist"),
            LinuxException { Errno: 40 } => Refusal.Of(StatusCode.FailedPrecondition, $"`{path}` has a symbolic link; links are not followed"),
            _ => Refusal.Of(StatusCode.FailedPrecondition, $"`{path}` cannot be read: {failure.Message}"),
        };
    }
}
