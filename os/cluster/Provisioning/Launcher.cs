using System.Diagnostics;

namespace Talos.Cluster.Provisioning;

/// <summary>Starts programs that outlive this one.</summary>
static class Launcher
{
    // A session of its own, so that Ctrl-C here is not one there; the console file takes what it writes. Every step is an exec, so the
    // process id stays that of the program.
    const string Script = """exec setsid "$@" >>"$0" 2>&1 </dev/null""";

    public static NodeProcess Start(string console, string program, IReadOnlyList<string> arguments)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(console)!);
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", Script, console, program, .. arguments])) ?? throw new ClusterException($"`{program}` cannot be started");
        return NodeProcess.Find(process.Id) ?? throw new ClusterException($"`{program}` ended at once", $"its output is in `{console}`");
    }

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="ClusterException">It cannot be started or fails.</exception>
    public static void Run(string program, params string[] arguments)
    {
        Process? process;
        try
        {
            process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true });
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new ClusterException($"`{program}` cannot be started: {e.Message.ToLowerInvariant()}", "install it; `make up` does");
        }
        using (process)
        {
            var errors = process!.StandardError.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0) throw new ClusterException($"`{program}` failed: {errors.Trim().ReplaceLineEndings(" ")}");
        }
    }
}
