using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Talos.Pki;

/// <summary>One textual block (RFC 7468).</summary>
public sealed record PemBlock(string Label, ReadOnlyMemory<byte> Der);

/// <summary>The blocks of a text, in order.</summary>
public sealed record PemBlocks(ImmutableArray<PemBlock> Blocks);

/// <summary>Textual encodings (RFC 7468).</summary>
public static class Pem
{
    public const string Certificate = "CERTIFICATE";
    public const string CertificateRequest = "CERTIFICATE REQUEST";
    public const string PrivateKey = "PRIVATE KEY";
    public const string RevocationList = "X509 CRL";

    // LIMIT: 8 MiB of text and 1,024 blocks; the system bundle of a distribution has 150 certificates in 250 KiB.
    const int MaximumText = 8 * 1024 * 1024;
    const int MaximumBlocks = 1024;

    /// <summary>Text with lines of 64 characters and a final line feed.</summary>
    public static string Write(string label, ReadOnlySpan<byte> der) => PemEncoding.WriteString(label, der) + "\n";

    /// <summary>Reads every block; text between blocks is skipped, a damaged block is an error with its offset.</summary>
    public static Checked<PemBlocks> Read(ReadOnlySpan<byte> text)
    {
        if (text.Length > MaximumText)
            return new PkiFailure(PkiReason.TooLarge, $"a PEM text of {text.Length} octets exceeds {MaximumText}");
        string characters = Encoding.Latin1.GetString(text);
        var blocks = ImmutableArray.CreateBuilder<PemBlock>();
        int at = 0;
        while (at < characters.Length)
        {
            ReadOnlySpan<char> rest = characters.AsSpan(at);
            int begin = rest.IndexOf("-----BEGIN ", StringComparison.Ordinal);
            if (begin < 0)
                break;
            if (!PemEncoding.TryFind(rest[begin..], out PemFields fields) || fields.Location.Start.Value != 0)
                return new PkiFailure(PkiReason.MalformedPem, "a PEM block is damaged") { Position = at + begin };
            if (blocks.Count == MaximumBlocks)
                return new PkiFailure(PkiReason.TooLarge, $"there are more than {MaximumBlocks} PEM blocks");
            string label = rest[begin..][fields.Label].ToString();
            byte[] der = new byte[fields.DecodedDataLength];
            if (!Convert.TryFromBase64Chars(rest[begin..][fields.Base64Data], der, out int written) || written != der.Length)
                return new PkiFailure(PkiReason.MalformedPem, "a PEM block holds text that is not base64") { Position = at + begin };
            blocks.Add(new PemBlock(label, der));
            at += begin + fields.Location.End.Value;
        }

        return Checked<PemBlocks>.Of(new PemBlocks(blocks.DrainToImmutable()));
    }

    /// <summary>DER starts with 0x30; anything that holds a block's opening line is text.</summary>
    internal static bool LooksLike(ReadOnlySpan<byte> octets) =>
        (octets.IsEmpty || octets[0] != DerTag.Sequence) && octets.IndexOf("-----BEGIN "u8) >= 0;
}
