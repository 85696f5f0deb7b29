using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Xunit;

namespace Talos.EndToEnd.Tests;

/// <summary>What osctl printed and how it ended.</summary>
sealed record Printed(int Code, string Output, string Error)
{
    public JsonNode Json => JsonNode.Parse(Output) ?? throw new InvalidOperationException("osctl printed `null`");

    public override string ToString() => $"exit {Code}\n{Output}\n{Error}";
}

/// <summary>The osctl that the solution built, run as a person would, in a home folder of its own.</summary>
sealed class OsctlProgram : IDisposable
{
    static readonly string Configuration = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/')).Name;

    public static string Root { get; } = FindRoot();

    public string Home { get; } = Directory.CreateTempSubdirectory("talos-e2e-").FullName;

    /// <summary>The executable of a project, built beside this test.</summary>
    public static string Executable(string project, string name) => Path.Combine(Root, "artifacts", "bin", project, Configuration, name);

    public Printed Run(params string[] arguments)
    {
        var start = new ProcessStartInfo(Executable("Talos.Osctl", "osctl"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Root };
        start.Environment["HOME"] = Home;
        start.Environment.Remove("TALOSCONFIG");
        using var process = Process.Start(start) ?? throw new InvalidOperationException("osctl does not start");
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Printed(process.ExitCode, output, error.Result);
    }

    /// <summary>Starts what does not end by itself; SIGINT ends it as Ctrl-C would.</summary>
    public Process Follow(params string[] arguments)
    {
        // A runner in the background of a shell has SIGINT ignored, and so would what it starts.
        var start = new ProcessStartInfo("env", ["--default-signal=INT", Executable("Talos.Osctl", "osctl"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["HOME"] = Home;
        start.Environment.Remove("TALOSCONFIG");
        return Process.Start(start) ?? throw new InvalidOperationException("osctl does not start");
    }

    public static void Interrupt(Process process)
    {
        using var kill = Process.Start("kill", ["-INT", $"{process.Id}"]);
        kill.WaitForExit();
    }

    public Printed Succeed(params string[] arguments)
    {
        var printed = Run(arguments);
        Assert.True(printed.Code == 0, $"osctl {string.Join(' ', arguments)}: {printed}");
        return printed;
    }

    /// <summary>Tries until it succeeds; what comes up needs its time, and the limit is only there to end a broken run.</summary>
    public Printed SucceedWithin(TimeSpan limit, Func<Printed, bool> isWanted, params string[] arguments)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var printed = Run(arguments);
            if (printed.Code == 0 && isWanted(printed)) return printed;
            Assert.True(watch.Elapsed < limit, $"osctl {string.Join(' ', arguments)} within {limit}: {printed}");
        }
    }

    /// <summary>A port whose neighbours, as many as a cluster of three needs, are free.</summary>
    public static int FreePorts()
    {
        for (var port = 20_000 + Environment.ProcessId % 1000 * 10; ; port += 50)
        {
            if (((int[])[port, port + 1, port + 10, port + 20]).All(IsFree)) return port;
        }

        static bool IsFree(int port)
        {
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        }
    }

    public void Dispose() => Directory.Delete(Home, recursive: true);

    static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Talos.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("Talos.sln is in no folder above the tests");
    }
}
