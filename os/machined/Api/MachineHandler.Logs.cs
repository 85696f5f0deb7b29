using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Talos.Api.Machine.V1;
using Talos.Linux;
using Talos.Linux.Kernel;
using Talos.Machined.Boot;

namespace Talos.Machined.Api;

sealed partial class MachineHandler
{
    // LIMIT: a message of the stream; the kernel's whole buffer has 256 KiB.
    const int LogChunkBytes = 64 << 10;
    static readonly TimeSpan KernelLogWait = TimeSpan.FromMilliseconds(500);

    public override async Task Logs(LogsRequest request, IServerStreamWriter<LogChunk> responseStream, ServerCallContext context)
    {
        if (!logs.Has(request.Id))
            throw Refusal.Of(StatusCode.NotFound, $"no log of a service `{request.Id}`");
        try
        {
            await foreach (var chunk in logs.ReadAsync(request.Id, Lines(request.TailLines), request.Follow, context.CancellationToken))
                await responseStream.WriteAsync(new LogChunk { Data = UnsafeByteOperations.UnsafeWrap(chunk) }, context.CancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The reader has seen enough.
        }
    }

    public override async Task Dmesg(DmesgRequest request, IServerStreamWriter<LogChunk> responseStream, ServerCallContext context)
    {
        try
        {
            using var log = new KernelLog();
            await SendAsync(Last(Available(log), Lines(request.TailLines)), responseStream, context.CancellationToken);
            while (request.Follow)
            {
                // Blocks a thread of the pool: a node has few readers of its kernel's log.
                await Task.Run(() => log.Wait(KernelLogWait), context.CancellationToken);
                context.CancellationToken.ThrowIfCancellationRequested();
                await SendAsync(Available(log), responseStream, context.CancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The reader has seen enough.
        }
        catch (LinuxException e)
        {
            throw Refusal.Of(StatusCode.Unavailable, e.Message);
        }
    }

    static IEnumerable<string> Available(KernelLog log)
    {
        while (log.TryRead() is { } line)
            yield return ConfigurationSource.Hide(line);
    }

    static IEnumerable<string> Last(IEnumerable<string> lines, int count) => count == 0 ? lines : lines.TakeLast(count);

    static async Task SendAsync(IEnumerable<string> lines, IServerStreamWriter<LogChunk> stream, CancellationToken stop)
    {
        var text = new StringBuilder();
        foreach (var line in lines)
        {
            text.Append(line).Append('\n');
            if (text.Length < LogChunkBytes)
                continue;
            await stream.WriteAsync(new LogChunk { Data = ByteString.CopyFromUtf8(text.ToString()) }, stop);
            text.Clear();
        }
        if (text.Length > 0)
            await stream.WriteAsync(new LogChunk { Data = ByteString.CopyFromUtf8(text.ToString()) }, stop);
    }

    static int Lines(uint wanted) => (int)Math.Min(wanted, int.MaxValue);
}
