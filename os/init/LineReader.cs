using System.Net.Sockets;
using System.Text;
using Talos.Linux.Supervision;

namespace Talos.Init;

/// <summary>Reads lines of bounded length from a socket.</summary>
sealed class LineReader(Socket socket)
{
    readonly byte[] _buffer = new byte[ControlProtocol.LineBytesMaximum];
    int _length;

    /// <summary>The next line without its end; null at the end of the stream or when a line is too long.</summary>
    internal async Task<string?> ReadAsync(CancellationToken stop)
    {
        while (true)
        {
            var end = _buffer.AsSpan(0, _length).IndexOf((byte)'\n');
            if (end >= 0)
            {
                var line = Encoding.UTF8.GetString(_buffer, 0, end);
                _length -= end + 1;
                _buffer.AsSpan(end + 1, _length).CopyTo(_buffer);
                return line;
            }
            if (_length == _buffer.Length)
                return null;
            var received = await socket.ReceiveAsync(_buffer.AsMemory(_length), stop);
            if (received == 0)
                return null;
            _length += received;
        }
    }
}
