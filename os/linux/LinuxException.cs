using System.Runtime.InteropServices;

namespace Talos.Linux;

/// <summary>The kernel refused an operation. The message names the operation and what it was done to.</summary>
public sealed class LinuxException : IOException
{
    /// <param name="operation">What was tried, for instance ``mount `/dev/vda` on `/state` ``.</param>
    /// <param name="errno">errno(3).</param>
    public LinuxException(string operation, int errno)
        : base($"{operation}: {Marshal.GetPInvokeErrorMessage(errno).ToLowerInvariant()} (errno {errno})")
    {
        Errno = errno;
        HResult = errno;
    }

    /// <summary>errno(3).</summary>
    public int Errno { get; }

    internal static LinuxException Last(string operation) => new(operation, Marshal.GetLastPInvokeError());

    /// <summary>Throws when <paramref name="result"/> is the C convention's failure.</summary>
    internal static void ThrowIfFailed(nint result, string operation)
    {
        if (result < 0)
            throw Last(operation);
    }
}
