using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Talos.Audit;

/// <summary>
/// RFC 5424 messages over TCP (RFC 6587 octet counting) or TLS (RFC 5425). The protocol has no acknowledgement, and what the kernel of the
/// other side has taken its syslog daemon may never have read. So a commit closes the sending direction and waits until the receiver,
/// having read everything, closes its own: only then is anything delivered. Each commit takes a connection.
/// </summary>
public sealed class SyslogSink : AuditSink
{
    readonly string _host;
    readonly int _port;
    readonly SslClientAuthenticationOptions? _tls;
    readonly TimeProvider _time;
    readonly AuditFormat _format;
    Socket? _socket;
    Stream? _stream;

    /// <summary>
    /// Delivers to host and port; over TLS when <paramref name="tls"/> is given. CEF goes inside syslog messages, as its receivers expect.
    /// </summary>
    public SyslogSink(
        string host, int port, SslClientAuthenticationOptions? tls, TimeProvider time, AuditFormat format = AuditFormat.Syslog)
    {
        _host = host;
        _port = port;
        _tls = tls;
        _time = time;
        _format = format;
    }

    /// <summary>How long the receiver may take to close its side of a connection.</summary>
    public TimeSpan CommitTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <inheritdoc />
    public override string Target => string.Create(CultureInfo.InvariantCulture, $"syslog{(_tls is null ? "" : "+tls")}://{_host}:{_port}");

    /// <inheritdoc />
    public override async ValueTask SendAsync(IReadOnlyList<AuditRecord> records, CancellationToken cancellationToken)
    {
        Stream stream = _stream ??= await ConnectAsync(cancellationToken).ConfigureAwait(false);
        using MemoryStream frames = new(records.Count * 1024);
        foreach (AuditRecord record in records)
        {
            byte[] message = Encoding.UTF8.GetBytes(
                _format == AuditFormat.Cef ? SyslogMessage.Carry(record, CefEvent.Render(record)) : SyslogMessage.Render(record));
            // RFC 6587 §3.4.1: MSG-LEN SP SYSLOG-MSG.
            frames.Write(Encoding.ASCII.GetBytes(message.Length.ToString(CultureInfo.InvariantCulture) + " "));
            frames.Write(message);
        }
        await stream.WriteAsync(frames.GetBuffer().AsMemory(0, (int)frames.Length), cancellationToken).ConfigureAwait(false);
    }

    async Task<Stream> ConnectAsync(CancellationToken cancellationToken)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(_host, _port, cancellationToken).ConfigureAwait(false);
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (_tls is not null)
            {
                SslStream secure = new(stream);
                await secure.AuthenticateAsClientAsync(_tls, cancellationToken).ConfigureAwait(false);
                stream = secure;
            }
            _socket = socket;
            return stream;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <inheritdoc />
    public override async ValueTask CommitAsync(CancellationToken cancellationToken)
    {
        if (_stream is not { } stream) return;
        using CancellationTokenSource timeout = new(CommitTimeout, _time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        await AllTakenAsync(either.Token).ConfigureAwait(false);
        if (stream is SslStream secure) await secure.ShutdownAsync().WaitAsync(either.Token).ConfigureAwait(false);
        _socket!.Shutdown(SocketShutdown.Send);
        byte[] rest = new byte[256];
        // A reset instead of an end is an exception here: the receiver went away with data unread.
        while (await stream.ReadAsync(rest, either.Token).ConfigureAwait(false) != 0)
        {
            // RFC 5424 receivers do not talk back; whatever this is, it is not the end.
        }
        // A reset that came after the receiver's end shows here alone.
        if (_socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error) is int error and not 0)
            throw new AuditDeliveryException($"the receiver reset the connection ({error})");
        Reset();
    }

    // Waits until every byte has been acknowledged while the receiver had its side open. A receiver that goes down in the middle of a
    // message closes politely and drops it; when it closes with bytes unread, its kernel sends a reset. So with all bytes there, an end is
    // an end.
    async Task AllTakenAsync(CancellationToken cancellationToken)
    {
        // struct tcp_info of linux/tcp.h: state at 0 (1 is established), tcpi_unacked at 24, tcpi_notsent_bytes at 144.
        const int tcp = 6, tcpInfo = 11, established = 1;
        byte[] info = new byte[160];
        while (true)
        {
            int length = _socket!.GetRawSocketOption(tcp, tcpInfo, info);
            if (length < 148 || info[0] != established)
                throw new AuditDeliveryException("the receiver closed the connection before everything was sent");
            if (BitConverter.ToUInt32(info, 24) == 0 && BitConverter.ToUInt32(info, 144) == 0) return;
            await Task.Delay(TimeSpan.FromMilliseconds(2), _time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc />
    public override void Reset()
    {
        _stream?.Dispose();
        _stream = null;
        _socket = null;
    }

    /// <inheritdoc />
    public override ValueTask DisposeAsync()
    {
        Reset();
        return ValueTask.CompletedTask;
    }
}
