using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Talos.AotSelfTest;

static class ProcessCases
{
    const int User1 = 10, User2 = 12, Terminate = 15, RealTime = 40;

    internal static void Run(Cases cases)
    {
        cases.Run("processes: streams and exit code", () =>
        {
            Expect.Equal((3, "HELLO\nWORLD", ""), ChildProcess.Run("child:upper", "hello\nworld"));
            Expect.Equal((5, "to stdout", "to stderr"), ChildProcess.Run("child:errors"));
            Expect.Equal((7, "leaving\n", ""), ChildProcess.Run("child:exit"));
        });

        cases.Run("processes: environment and working directory", () =>
            Expect.Equal("given /tmp True", ChildProcess.Run("child:environment", configure: start =>
            {
                start.Environment["TALOS_SELF_TEST"] = "given";
                start.WorkingDirectory = "/tmp";
            }).Output));

        cases.Run("processes: a program that does not exist is told", () =>
            Expect.True(Expect.Throws<Win32Exception>(() => Process.Start("no-such-program")).Message.Contains("No such file", StringComparison.Ordinal)));

        cases.Run("processes: 40 at once", () => Parallel.For(0, 40, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
            Expect.Equal(5, ChildProcess.Run("child:errors").ExitCode)));

        cases.Run("processes: kill", () =>
        {
            using var process = ChildProcess.Start("child:wait");
            process.Kill();
            process.WaitForExit();
            Expect.Equal(128 + 9, process.ExitCode);
        });

        cases.Run("processes: termination can be handled", () =>
        {
            using var process = ChildProcess.Start("child:wait");
            Expect.Equal("ready", process.StandardOutput.ReadLine());
            Expect.Equal(0, Native.kill(process.Id, Terminate));
            Expect.Equal("leaving", process.StandardOutput.ReadLine());
            process.WaitForExit();
            Expect.Equal(9, process.ExitCode);
        });

        cases.Run("processes: facts about itself", () =>
        {
            using var self = Process.GetCurrentProcess();
            Expect.True(self.WorkingSet64 > 0 && self.Threads.Count > 1 && self.TotalProcessorTime > TimeSpan.Zero);
            Expect.True(Process.GetProcesses().Length > 0);
        });

        cases.Run("signals: handlers are called", () =>
        {
            // Not SIGINT or SIGHUP: a shell starts background jobs with them ignored, and .NET leaves it so.
            int[] signals = [Terminate, User1, User2, RealTime];
            using var seen = new CountdownEvent(signals.Length);
            var registrations = signals.Select(signal => PosixSignalRegistration.Create(AsSignal(signal), context =>
            {
                context.Cancel = true;
                seen.Signal();
            })).ToArray();
            foreach (var signal in signals) Expect.Equal(0, Native.kill(Native.getpid(), signal));
            seen.Wait();
            foreach (var registration in registrations) registration.Dispose();
        });

        cases.Run("signals: the end of a child is told", () =>
        {
            using var seen = new ManualResetEventSlim();
            using var registration = PosixSignalRegistration.Create(PosixSignal.SIGCHLD, _ => seen.Set());
            ChildProcess.Run("child:errors");
            seen.Wait();
        });
    }

    // .NET has negative numbers for the signals it names, and passes others on as they are.
    static PosixSignal AsSignal(int number) => number == Terminate ? PosixSignal.SIGTERM : (PosixSignal)number;
}
