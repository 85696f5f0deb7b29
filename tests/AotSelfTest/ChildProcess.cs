using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Talos.AotSelfTest;

/// <summary>This program as its own child: what must be seen from outside, above all how a process ends.</summary>
static class ChildProcess
{
    internal static bool TryRun(string role, out int exitCode)
    {
        exitCode = 0;
        switch (role)
        {
            case "child:overflow":
                Recurse(0);
                break;
            case "child:overflow-thread":
                var overflowing = new Thread(() => Recurse(0));
                overflowing.Start();
                overflowing.Join();
                break;
            case "child:unhandled":
                throw new InvalidOperationException("unhandled on purpose");
            case "child:unhandled-thread":
                var throwing = new Thread(() => throw new InvalidOperationException("unhandled on purpose"));
                throwing.Start();
                throwing.Join();
                break;
            case "child:fail-fast":
                Environment.FailFast("failing fast on purpose");
                break;
            case "child:free-twice":
                FreeTwice();
                break;
            case "child:write-before":
                WriteBefore();
                break;
            case "child:exit":
                AppDomain.CurrentDomain.ProcessExit += (_, _) => Console.WriteLine("leaving");
                Environment.Exit(7);
                break;
            case "child:wait":
                // .NET 10 has no handler of its own any more: without this, SIGTERM just kills.
                using (PosixSignalRegistration.Create(PosixSignal.SIGTERM, Leave))
                {
                    Console.WriteLine("ready");
                    Thread.Sleep(Timeout.Infinite);
                }
                break;
            case "child:upper":
                Console.Write(Console.In.ReadToEnd().ToUpperInvariant());
                exitCode = 3;
                break;
            case "child:errors":
                Console.Error.Write("to stderr");
                Console.Write("to stdout");
                exitCode = 5;
                break;
            case "child:environment":
                Console.Write($"{Environment.GetEnvironmentVariable("TALOS_SELF_TEST")} {Environment.CurrentDirectory} {Environment.UserName.Length > 0}");
                break;
            case "child:depth":
                Console.Write(StackDepth(0));
                break;
            case "child:exhaust":
                Console.Write(ExhaustMemory());
                break;
            case "child:heap-limit":
                Console.Write(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes.ToString(CultureInfo.InvariantCulture));
                break;
            case "child:orphan":
                // Leaves a grandchild behind, for PID 1 to reap.
                Console.Write(Start("child:errors").Id);
                break;
            default:
                return false;
        }
        return true;
    }

    /// <summary>Starts this program again with all streams redirected.</summary>
    internal static Process Start(string role, Action<ProcessStartInfo>? configure = null)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(role);
        configure?.Invoke(start);
        return Process.Start(start)!;
    }

    /// <summary>Starts this program again and waits for its end.</summary>
    internal static (int ExitCode, string Output, string Error) Run(string role, string input = "", Action<ProcessStartInfo>? configure = null)
    {
        using var process = Start(role, configure);
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }

    /// <summary>How many frames of about 1 KiB fit before the runtime says that the stack is nearly used up.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static int StackDepth(int depth)
    {
        Span<byte> frame = stackalloc byte[1024];
        frame[depth & 1023] = 1;
        if (depth > 20000 || !RuntimeHelpers.TryEnsureSufficientExecutionStack()) return depth;
        return StackDepth(depth + 1) + (frame[depth & 1023] - 1);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static int Recurse(int depth)
    {
        Span<byte> frame = stackalloc byte[128];
        frame[depth & 127] = (byte)depth;
        return Recurse(depth + 1) + frame[(depth + 1) & 127];
    }

    static unsafe void FreeTwice()
    {
        var block = NativeMemory.Alloc(100);
        NativeMemory.Free(block);
        NativeMemory.Free(block);
    }

    static unsafe void WriteBefore()
    {
        var block = (byte*)NativeMemory.Alloc(100);
        for (var i = -16; i < 0; i++) block[i] ^= 0x55;
        NativeMemory.Free(block);
    }

    static void Leave(PosixSignalContext context)
    {
        context.Cancel = true;
        Console.WriteLine("leaving");
        Environment.Exit(9);
    }

    static string ExhaustMemory()
    {
        var kept = new List<byte[]>();
        try
        {
            while (true) kept.Add(new byte[8 << 20]);
        }
        catch (OutOfMemoryException)
        {
            kept.Clear();
            return "out of memory, caught";
        }
    }
}
