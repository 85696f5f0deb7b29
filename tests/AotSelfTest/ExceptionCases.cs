using System.Runtime.CompilerServices;

namespace Talos.AotSelfTest;

static class ExceptionCases
{
    // 128 + SIGABRT: how the runtime ends a process that cannot go on. 128 + SIGSEGV: what is left of it on an exhausted stack.
    const int Aborted = 134, Faulted = 139;

    static int _unwound;

    internal static void Run(Cases cases)
    {
        cases.Run("exceptions: filters and finally blocks over 500 frames", () =>
        {
            _unwound = 0;
            Expect.Throws<InvalidDataException>(() => Descend(500));
            Expect.Equal(500, _unwound);
        });

        cases.Run("exceptions: null reference becomes an exception", () =>
        {
            for (var i = 0; i < 200; i++) Expect.Throws<NullReferenceException>(() => Length(null!));
        });

        cases.Run("exceptions: division by zero becomes an exception", () =>
        {
            for (var i = 0; i < 200; i++) Expect.Throws<DivideByZeroException>(() => Divide(1, i - i));
            Expect.Throws<OverflowException>(() => Divide(int.MinValue, -1));
        });

        cases.Run("exceptions: hardware faults on many threads", () => Parallel.For(0, 2000, i =>
        {
            if (i % 2 == 0) Expect.Throws<NullReferenceException>(() => Length(null!));
            else Expect.Throws<DivideByZeroException>(() => Divide(1, 0));
        }));

        cases.Run("exceptions: stack trace names methods", () =>
            Expect.True(Expect.Throws<InvalidDataException>(() => Descend(3)).StackTrace!.Contains(nameof(Descend), StringComparison.Ordinal)));

        cases.Run("exceptions: of several tasks", () =>
        {
            static async Task Fail()
            {
                await Task.Yield();
                throw new ArgumentException("on purpose");
            }
            Expect.Equal(2, Expect.Throws<AggregateException>(() => Task.WhenAll(Fail(), Fail()).Wait()).InnerExceptions.Count);
        });

        cases.Run("crash: stack overflow on the main thread ends the process", () => ExpectCrash("child:overflow"));
        cases.Run("crash: stack overflow on a thread ends the process", () => ExpectCrash("child:overflow-thread"));
        cases.Run("crash: unhandled exception is told", () => ExpectCrash("child:unhandled", "unhandled on purpose"));
        cases.Run("crash: unhandled exception of a thread is told", () => ExpectCrash("child:unhandled-thread", "unhandled on purpose"));
        cases.Run("crash: fail fast is told", () => ExpectCrash("child:fail-fast", "failing fast on purpose"));
        cases.Run("crash: native memory freed twice", () => ExpectCrash("child:free-twice", "Scudo ERROR: invalid chunk state"));
        cases.Run("crash: native memory written before its start", () => ExpectCrash("child:write-before", "Scudo ERROR: corrupted chunk header"));
    }

    static void ExpectCrash(string role, string message = "")
    {
        var (exitCode, _, error) = ChildProcess.Run(role);
        Expect.True(exitCode is Aborted or Faulted);
        Expect.True(error.Contains(message, StringComparison.Ordinal));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static int Length(string text) => text.Length;

    [MethodImpl(MethodImplOptions.NoInlining)]
    static int Divide(int dividend, int divisor) => dividend / divisor;

    [MethodImpl(MethodImplOptions.NoInlining)]
    static void Descend(int levels)
    {
        if (levels == 0) throw new InvalidDataException("the bottom");
        try
        {
            Descend(levels - 1);
        }
        finally
        {
            _unwound++;
        }
    }
}
