using System.Net.Sockets;
using System.Text;
using Talos.Linux.Kernel;
using Talos.Linux.Supervision;

namespace Talos.Machined.Services;

/// <summary>Talks to init. One connection a request.</summary>
sealed class InitClient(string socketPath = ControlProtocol.SocketPath) : IServiceControl
{
    // LIMIT: a line for each of init's services and one more.
    const int LinesMaximum = 64;

    public async Task<IReadOnlyList<ServiceStatus>> ListAsync(CancellationToken stop)
    {
        var lines = await AskAsync(new ControlRequest(ControlVerb.List), stop);
        return [.. lines.Select(ControlProtocol.ParseStatus).OfType<ServiceStatus>()];
    }

    public Task<int> StartAsync(string id, CancellationToken stop) => ProcessAsync(new ControlRequest(ControlVerb.Start, id), stop);

    public Task<int> RestartAsync(string id, TimeSpan? stopTimeout, CancellationToken stop) =>
        ProcessAsync(new ControlRequest(ControlVerb.Restart, id, stopTimeout), stop);

    public Task EndAsync(MachineEnd end, CancellationToken stop) =>
        AskAsync(new ControlRequest(end == MachineEnd.Reboot ? ControlVerb.Reboot : ControlVerb.PowerOff), stop);

    async Task<int> ProcessAsync(ControlRequest request, CancellationToken stop)
    {
        var lines = await AskAsync(request, stop);
        return lines is [.., var last] && last.StartsWith("ok ", StringComparison.Ordinal) && int.TryParse(last.AsSpan(3), out var pid) ? pid : 0;
    }

    /// <returns>The lines of the answer, the last one beginning with `ok`.</returns>
    async Task<IReadOnlyList<string>> AskAsync(ControlRequest request, CancellationToken stop)
    {
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), stop);
            await using var stream = new NetworkStream(socket);
            await stream.WriteAsync(Encoding.UTF8.GetBytes(ControlProtocol.FormatRequest(request) + "\n"), stop);
            using var reader = new StreamReader(stream, Encoding.UTF8);
            var lines = new List<string>();
            while (lines.Count < LinesMaximum && await reader.ReadLineAsync(stop) is { } line)
            {
                if (line.StartsWith("error ", StringComparison.Ordinal))
                    throw new ServiceControlException(line[6..]);
                lines.Add(line);
                if (line == "ok" || line.StartsWith("ok ", StringComparison.Ordinal))
                    return lines;
            }
            throw new ServiceControlException("init closed the connection before it had answered");
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            throw new ServiceControlException("init does not answer: " + e.Message);
        }
    }
}
