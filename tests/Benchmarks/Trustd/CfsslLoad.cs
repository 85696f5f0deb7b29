using System.Buffers;
using System.Diagnostics;
using System.Text;
using Talos.Pki;

namespace Talos.Benchmarks;

/// <summary>As much of HTTP/1.1 as it takes to ask cfssl for one certificate after the other.</summary>
sealed class CfsslLoad(Stream stream) : LoadConnection(stream, callers: 1)
{
    long asked;

    public static byte[] Request(byte[] csr)
    {
        var body = $$"""{"certificate_request":"{{Pem.Write(Pem.CertificateRequest, csr).ReplaceLineEndings("\\n")}}"}""";
        return Encoding.ASCII.GetBytes($"POST /api/v1/cfssl/sign HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}");
    }

    protected override void Ask(byte[] request)
    {
        asked = Stopwatch.GetTimestamp();
        Output.Write(request);
    }

    protected override int Take(ReadOnlySpan<byte> received)
    {
        var head = received.IndexOf("\r\n\r\n"u8) + 4;
        if (head < 4) return 0;
        var (lengthAt, field) = (received[..head].IndexOf("Content-Length: "u8), "Content-Length: "u8.Length);
        if (!received.StartsWith("HTTP/1.1 200"u8) || lengthAt < 0) throw new InvalidDataException("cfssl refuses");
        var end = lengthAt + field + received[(lengthAt + field)..head].IndexOf((byte)'\r');
        var whole = head + int.Parse(received[(lengthAt + field)..end], System.Globalization.CultureInfo.InvariantCulture);
        if (received.Length < whole) return 0;
        if (received[head..whole].IndexOf("BEGIN CERTIFICATE"u8) < 0) throw new InvalidDataException("an answer without a certificate");
        Answered(asked);
        return whole;
    }
}
