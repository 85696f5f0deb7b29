using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;

namespace Talos.Benchmarks;

/// <summary>As much of HTTP/2 (RFC 9113) and gRPC as it takes to call one unary method again and again.</summary>
sealed class Http2Load : LoadConnection
{
    const byte Data = 0, Headers = 1, Reset = 3, Settings = 4, Ping = 6, GoAway = 7, WindowUpdate = 8;
    const byte EndStream = 1, Acknowledged = 1, EndHeaders = 4, Padded = 8;
    const int FrameHeader = 9, MessageHeader = 5;

    // What the server may send before it is told that it was read.
    const int Window = 1 << 30;

    readonly byte[] head;
    readonly Dictionary<int, (long Asked, bool HasCertificate)> streams = [];
    int lastStream = -1;
    long unannounced;

    /// <param name="stream">Encrypted, HTTP/2 agreed by ALPN.</param>
    /// <param name="method">Full gRPC name with the slash in front.</param>
    public Http2Load(Stream stream, int callers, string authority, string method) : base(stream, callers)
    {
        head = Head(authority, method);
        Output.Write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);
        // SETTINGS_HEADER_TABLE_SIZE 0, ENABLE_PUSH 0, INITIAL_WINDOW_SIZE: nothing has to be remembered of an answer's fields.
        Frame(Settings, 0, 0, [0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 4, .. BigEndian(Window)]);
        Frame(WindowUpdate, 0, 0, BigEndian(Window));
    }

    protected override void Ask(byte[] request)
    {
        var id = lastStream += 2;
        streams.Add(id, (Stopwatch.GetTimestamp(), false));
        Frame(Headers, EndHeaders, id, head);
        Span<byte> message = stackalloc byte[MessageHeader];
        BinaryPrimitives.WriteInt32BigEndian(message[1..], request.Length);
        Frame(Data, EndStream, id, message, request);
    }

    protected override int Take(ReadOnlySpan<byte> received)
    {
        var taken = 0;
        while (received.Length - taken >= FrameHeader)
        {
            var frame = received[taken..];
            var length = (frame[0] << 16) | (frame[1] << 8) | frame[2];
            if (frame.Length < FrameHeader + length) break;
            Take(frame[3], frame[4], BinaryPrimitives.ReadInt32BigEndian(frame[5..]), frame.Slice(FrameHeader, length));
            taken += FrameHeader + length;
        }
        return taken;
    }

    void Take(byte type, byte flags, int id, ReadOnlySpan<byte> body)
    {
        switch (type)
        {
            case Data:
                if ((flags & Padded) != 0) throw new InvalidDataException("the server pads its answers");
                Announce(body.Length);
                // The message's first field is the certificate, so its key is followed by a length and a DER sequence.
                if (body.Length > MessageHeader + 512 && body[MessageHeader] == 0x0A && body[MessageHeader + 3] == 0x30)
                    streams[id] = streams[id] with { HasCertificate = true };
                break;
            case Settings when (flags & Acknowledged) == 0:
                Frame(Settings, Acknowledged, 0, []);
                break;
            case Ping when (flags & Acknowledged) == 0:
                Frame(Ping, Acknowledged, 0, body);
                break;
            case Reset or GoAway:
                throw new InvalidDataException($"the server ends stream {id}");
        }
        if (type is not (Data or Headers) || (flags & EndStream) == 0) return;
        if (!streams.Remove(id, out var stream) || !stream.HasCertificate) throw new InvalidDataException("an answer without a certificate");
        Answered(stream.Asked);
    }

    void Announce(int read)
    {
        unannounced += read;
        if (unannounced < Window / 2) return;
        Frame(WindowUpdate, 0, 0, BigEndian((int)unannounced));
        unannounced = 0;
    }

    void Frame(byte type, byte flags, int id, ReadOnlySpan<byte> body, ReadOnlySpan<byte> more = default)
    {
        var length = body.Length + more.Length;
        var frame = Output.GetSpan(FrameHeader + length);
        BinaryPrimitives.WriteInt32BigEndian(frame, length << 8);
        (frame[3], frame[4]) = (type, flags);
        BinaryPrimitives.WriteInt32BigEndian(frame[5..], id);
        body.CopyTo(frame[FrameHeader..]);
        more.CopyTo(frame[(FrameHeader + body.Length)..]);
        Output.Advance(FrameHeader + length);
    }

    // RFC 7541: indexed fields and literals without indexing, no Huffman.
    static byte[] Head(string authority, string method) =>
    [
        0x83, 0x87, // :method POST, :scheme https
        0x04, .. Text(method), // :path
        0x01, .. Text(authority), // :authority
        0x0F, 0x10, .. Text("application/grpc"), // content-type
        0x00, .. Text("te"), .. Text("trailers"),
    ];

    static byte[] Text(string text) => [checked((byte)text.Length), .. Encoding.ASCII.GetBytes(text)];

    static byte[] BigEndian(int value)
    {
        var octets = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(octets, value);
        return octets;
    }
}
