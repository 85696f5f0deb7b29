using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Talos.Api.Configuration;
using Talos.Api.Server;
using Talos.Audit;
using Talos.Policy;

namespace Talos.Osd;

/// <summary>osd as a process: arguments, signals, exit codes.</summary>
public static class OsdProcess
{
    const int Success = 0, Failure = 1, Usage = 2;

    const string Help = """
        osd serves the node API over mutual TLS.

        usage: osd --config FILE

          --config FILE   what machined tells osd of the node, for instance /run/talos/osd.yaml
          --version       print the release
        """;

    /// <summary>Runs until it is told to stop; the result is the exit code.</summary>
    public static async Task<int> RunAsync(string[] arguments)
    {
        switch (arguments)
        {
            case ["--help" or "-h"]:
                Console.Out.WriteLine(Help);
                return Success;
            case ["--version"]:
                Console.Out.WriteLine(BuildDescription.Own.Tag);
                return Success;
            case ["--config", var file]:
                return await ServeAsync(file).ConfigureAwait(false);
            default:
                Console.Error.WriteLine("error: osd takes exactly `--config FILE`\n  hint: `osd --help`");
                return Usage;
        }
    }

    static async Task<int> ServeAsync(string file)
    {
        if (Read(file) is not { } configuration) return Usage;
        using var log = new LineLog();
        using var stop = new CancellationTokenSource();
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Stop(context, stop));
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Stop(context, stop));
        try
        {
            await OsdServer.RunAsync(configuration, log, TimeProvider.System, stop.Token).ConfigureAwait(false);
            return Success;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return Success;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or PolicyException or AuditLogException or InvalidDataException or OsdException)
        {
            log.CreateLogger("osd").LogCritical("{Reason}", e.Message);
            return Failure;
        }
    }

    static OsdConfiguration? Read(string file)
    {
        string text;
        try
        {
            text = File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"error: `{file}` cannot be read: {e.Message}");
            return null;
        }
        if (OsdConfiguration.Parse(text, file).TryGet(out var configuration, out var errors)) return configuration;
        Console.Error.WriteLine(errors);
        return null;
    }

    static void Stop(PosixSignalContext context, CancellationTokenSource stop)
    {
        // The process ends by itself when everything is closed.
        context.Cancel = true;
        stop.Cancel();
    }
}

/// <summary>osd cannot run, for a reason that the message tells in one sentence.</summary>
sealed class OsdException(string message, Exception? inner = null) : Exception(message, inner);
