using System.Globalization;

namespace Talos.Linux.Supervision;

/// <summary>What init is asked to do. The zero value asks nothing.</summary>
public enum ControlVerb
{
    None = 0,
    List = 1,
    Start = 2,
    Stop = 3,
    Restart = 4,
    Reboot = 5,
    PowerOff = 6,
}

/// <summary>One request of init's socket.</summary>
/// <param name="Service">Empty where the verb takes none.</param>
/// <param name="StopTimeout">Of restart; null: the service's own.</param>
public sealed record ControlRequest(ControlVerb Verb, string Service = "", TimeSpan? StopTimeout = null);

/// <summary>
/// The text of init's socket: one request a line, answered by a line that begins with <c>ok</c> or <c>error</c>; before it,
/// for <c>list</c>, a line a service: <c>ID STATE PID RESTARTS UNIX_MS EVENT…</c>.
/// </summary>
public static class ControlProtocol
{
    /// <summary>Where init listens.</summary>
    public const string SocketPath = "/run/talos/init.sock";

    // LIMIT: as ARCHITECTURE.md promises; the longest request we make has 40 bytes, the longest answer is one event sentence.
    public const int LineBytesMaximum = 512;

    // LIMIT: an hour; more is a mistake.
    const int TimeoutSecondsMaximum = 3600;

    /// <summary>The request, or null and one sentence.</summary>
    public static ControlRequest? ParseRequest(string line, out string error)
    {
        error = "";
        var words = line.Split(' ');
        switch (words)
        {
            case ["list"]:
                return new ControlRequest(ControlVerb.List);
            case ["reboot"]:
                return new ControlRequest(ControlVerb.Reboot);
            case ["poweroff"]:
                return new ControlRequest(ControlVerb.PowerOff);
            case ["start", var id] when IsId(id):
                return new ControlRequest(ControlVerb.Start, id);
            case ["stop", var id] when IsId(id):
                return new ControlRequest(ControlVerb.Stop, id);
            case ["restart", var id] when IsId(id):
                return new ControlRequest(ControlVerb.Restart, id);
            case ["restart", var id, var seconds] when IsId(id) && TryTimeout(seconds, out var timeout):
                return new ControlRequest(ControlVerb.Restart, id, timeout);
            default:
                error = "expected `list`, `start ID`, `stop ID`, `restart ID [SECONDS]`, `reboot` or `poweroff`";
                return null;
        }
    }

    public static string FormatRequest(ControlRequest request) => request.Verb switch
    {
        ControlVerb.List => "list",
        ControlVerb.Start => $"start {request.Service}",
        ControlVerb.Stop => $"stop {request.Service}",
        ControlVerb.Restart when request.StopTimeout is { } timeout => string.Create(
            CultureInfo.InvariantCulture, $"restart {request.Service} {Math.Clamp((int)Math.Ceiling(timeout.TotalSeconds), 1, TimeoutSecondsMaximum)}"),
        ControlVerb.Restart => $"restart {request.Service}",
        ControlVerb.Reboot => "reboot",
        ControlVerb.PowerOff => "poweroff",
        _ => throw new ArgumentOutOfRangeException(nameof(request)),
    };

    public static string FormatStatus(ServiceStatus status)
    {
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{status.Id} {StateWord(status.State)} {status.ProcessId} {status.Restarts} {status.LastChange.ToUnixTimeMilliseconds()} {status.LastEvent}");
        return line.Length <= LineBytesMaximum / 2 ? line : line[..(LineBytesMaximum / 2)];
    }

    /// <summary>The service a line of <c>list</c> tells of, or null if it is no such line.</summary>
    public static ServiceStatus? ParseStatus(string line)
    {
        var words = line.Split(' ', 6);
        if (words.Length < 6
            || !TryState(words[1], out var state)
            || !int.TryParse(words[2], NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
            || !int.TryParse(words[3], NumberStyles.None, CultureInfo.InvariantCulture, out var restarts)
            || !long.TryParse(words[4], NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            || milliseconds > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())
            return null;
        return new ServiceStatus(words[0], state, pid, restarts, DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), words[5]);
    }

    static bool IsId(string id) => id.Length is > 0 and <= 32 && id.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');

    static bool TryTimeout(string text, out TimeSpan timeout)
    {
        var valid = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and <= TimeoutSecondsMaximum;
        timeout = TimeSpan.FromSeconds(seconds);
        return valid;
    }

    static string StateWord(ServiceState state) => state switch
    {
        ServiceState.Running => "running",
        ServiceState.BackOff => "backoff",
        ServiceState.Stopping => "stopping",
        ServiceState.Stopped => "stopped",
        _ => "waiting",
    };

    static bool TryState(string word, out ServiceState state)
    {
        foreach (var candidate in Enum.GetValues<ServiceState>())
        {
            if (StateWord(candidate) == word)
            {
                state = candidate;
                return true;
            }
        }
        state = ServiceState.Waiting;
        return false;
    }
}
