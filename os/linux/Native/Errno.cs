namespace Talos.Linux.Native;

/// <summary>errno(3) values that the code tells apart.</summary>
static class Errno
{
    internal const int NotPermitted = 1, NoEntry = 2, NoProcess = 3, Interrupted = 4, NoChild = 10, Again = 11, Access = 13, Busy = 16, Exists = 17,
        NotDirectory = 20, Invalid = 22, BrokenPipe = 32, Loop = 40, NoSystemCall = 38;
}
