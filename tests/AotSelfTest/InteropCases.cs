using System.Runtime.InteropServices;

namespace Talos.AotSelfTest;

static unsafe class InteropCases
{
    const nint GetProcessIdCall = 39; // x86-64 system call table

    internal static void Run(Cases cases)
    {
        cases.Run("interop: calls and raw system calls", () =>
        {
            Expect.Equal(Environment.ProcessId, Native.getpid());
            Expect.Equal((nint)Environment.ProcessId, Native.syscall(GetProcessIdCall));
        });

        cases.Run("interop: error numbers and their text", () =>
        {
            const int NoSuchProcess = 3;
            Expect.Equal(-1, Native.kill(999_999_999, 0));
            Expect.Equal(NoSuchProcess, Marshal.GetLastPInvokeError());
            Expect.True(Marshal.GetLastPInvokeErrorMessage().Contains("process", StringComparison.OrdinalIgnoreCase));
        });

        cases.Run("interop: C calls back", () =>
        {
            var items = Enumerable.Range(0, 1000).Reverse().ToArray();
            fixed (int* first = items) Native.qsort(first, 1000, sizeof(int), &Native.Ascending);
            Expect.True(items.SequenceEqual(Enumerable.Range(0, 1000)));
        });

        cases.Run("interop: a library that is not linked is an exception", () =>
            Expect.Throws<DllNotFoundException>(() => _ = Native.no_such_function()));

        cases.Run("interop: native memory, aligned", () =>
        {
            for (nuint size = 1; size < 5000; size++) NativeMemory.Free(NativeMemory.AllocZeroed(size));
            var aligned = NativeMemory.AlignedAlloc(100, 4096);
            Expect.Equal((nuint)0, (nuint)aligned % 4096);
            NativeMemory.AlignedFree(aligned);
        });

        cases.Run("interop: the first process reaps orphans", () =>
        {
            if (Environment.ProcessId != 1) return;
            var (_, output, _) = ChildProcess.Run("child:orphan");
            var orphan = int.Parse(output, System.Globalization.CultureInfo.InvariantCulture);
            // Gone either because the runtime has reaped it or because this does.
            int status, result;
            while ((result = Native.waitpid(orphan, &status, 0)) == -1 && Marshal.GetLastPInvokeError() == 4) { }
            Expect.True(result == orphan || result == -1);
            Expect.True(!Directory.Exists($"/proc/{orphan}"));
        });
    }
}
