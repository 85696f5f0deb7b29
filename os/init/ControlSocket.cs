using System.Net.Sockets;
using System.Text;
using Talos.Linux;
using Talos.Linux.Kernel;
using Talos.Linux.Processes;
using Talos.Linux.Supervision;

namespace Talos.Init;

/// <summary>init's socket: text in, text out, uid 0 only. See ARCHITECTURE.md.</summary>
sealed class ControlSocket : IDisposable
{
    // LIMIT: machined uses one connection at a time.
    const int ConnectionsMaximum = 8;

    static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(100);

    readonly Supervisor _supervisor;
    readonly Action<MachineEnd> _end;
    readonly uint _allowedUser;
    readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    readonly SemaphoreSlim _connections = new(ConnectionsMaximum);

    /// <param name="end">Called after `reboot` or `poweroff` was answered; does not wait for the end.</param>
    internal ControlSocket(string path, Supervisor supervisor, Action<MachineEnd> end, uint allowedUser = 0)
    {
        (_supervisor, _end, _allowedUser) = (supervisor, end, allowedUser);
        File.Delete(path);
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        _listener.Listen(ConnectionsMaximum);
    }

    internal async Task ServeAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await _connections.WaitAsync(stop);
            try
            {
                _ = AnswerAsync(await _listener.AcceptAsync(stop), stop);
            }
            catch (SocketException)
            {
                // Out of descriptors, or a peer that was gone at once: neither may end process 1.
                _connections.Release();
                await Task.Delay(AcceptPause, stop);
            }
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        _connections.Dispose();
    }

    async Task AnswerAsync(Socket connection, CancellationToken stop)
    {
        try
        {
            using var owned = connection;
            if (SocketPeer.Of(connection).User != _allowedUser)
                return;
            var reader = new LineReader(connection);
            while (await reader.ReadAsync(stop) is { } line)
                await AnswerLineAsync(connection, line, stop);
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
        {
            // The peer went away; it will ask again.
        }
        finally
        {
            _connections.Release();
        }
    }

    async Task AnswerLineAsync(Socket connection, string line, CancellationToken stop)
    {
        var request = ControlProtocol.ParseRequest(line, out var error);
        var answer = request is null ? "error " + error : await AnswerAsync(request);
        await connection.SendAsync(Encoding.UTF8.GetBytes(answer + "\n"), stop);
        if (request is { Verb: ControlVerb.Reboot })
            _end(MachineEnd.Reboot);
        if (request is { Verb: ControlVerb.PowerOff })
            _end(MachineEnd.PowerOff);
    }

    async Task<string> AnswerAsync(ControlRequest request)
    {
        if (request.Service.Length > 0 && !_supervisor.Knows(request.Service))
            return $"error unknown service `{request.Service}`";
        try
        {
            switch (request.Verb)
            {
                case ControlVerb.List:
                    return string.Concat(_supervisor.List().Select(status => ControlProtocol.FormatStatus(status) + "\n")) + "ok";
                case ControlVerb.Start:
                    return $"ok {await _supervisor.StartAsync(request.Service)}";
                case ControlVerb.Stop:
                    await _supervisor.StopAsync(request.Service);
                    return "ok";
                case ControlVerb.Restart:
                    return $"ok {await _supervisor.RestartAsync(request.Service, request.StopTimeout)}";
                case ControlVerb.Reboot or ControlVerb.PowerOff:
                    return "ok stopping services";
                default:
                    return "error nothing was asked";
            }
        }
        catch (LinuxException e)
        {
            return "error " + e.Message;
        }
    }
}
