using System.Buffers;
using System.Diagnostics;

namespace Talos.Benchmarks;

/// <summary>
/// A connection with callers on it, each of whom asks again as soon as an answer comes. A thread of its own reads and writes without waiting for another,
/// requests are made beforehand, and of an answer only its frame is read: what is measured shares its processors with this.
/// </summary>
abstract class LoadConnection(Stream stream, int callers) : IDisposable
{
    // LIMIT: what callers of one connection are answered between two reads, many times over.
    readonly byte[] input = new byte[256 * 1024];
    readonly List<double> times = [];
    int filled, open;
    long until;
    Func<byte[]> next = null!;

    protected ArrayBufferWriter<byte> Output { get; } = new(16 * 1024);

    /// <summary>Asks for so long; the time that each answer took, in milliseconds.</summary>
    public Task<IReadOnlyList<double>> RunAsync(long until, Func<byte[]> next)
    {
        (this.until, this.next) = (until, next);
        return Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    IReadOnlyList<double> Run()
    {
        times.Clear();
        for (var i = 0; i < callers; i++) AskNext();
        while (open > 0)
        {
            // Everything that one read answered is asked anew in one write.
            if (Output.WrittenCount > 0)
            {
                stream.Write(Output.WrittenSpan);
                Output.ResetWrittenCount();
            }
            var read = stream.Read(input, filled, input.Length - filled);
            if (read == 0) throw new IOException("the server closed the connection");
            filled += read;
            var taken = Take(input.AsSpan(0, filled));
            input.AsSpan(taken, filled - taken).CopyTo(input);
            filled -= taken;
        }
        return [.. times];
    }

    void AskNext()
    {
        open++;
        Ask(next());
    }

    /// <summary>Puts a request into the output.</summary>
    protected abstract void Ask(byte[] request);

    /// <summary>Takes whole frames; returns how many bytes they had.</summary>
    protected abstract int Take(ReadOnlySpan<byte> received);

    /// <summary>A caller has its answer.</summary>
    protected void Answered(long asked)
    {
        times.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
        open--;
        if (Stopwatch.GetTimestamp() < until) AskNext();
    }

    public void Dispose() => stream.Dispose();
}
