using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Talos.Checks;

/// <summary>
/// Somebody's decision to live with a finding for a while. It holds through its expiry date (UTC) and only under the signature of a key that
/// the gate was told to trust.
/// </summary>
public sealed record Waiver(string Id, string Reason, string Owner, DateOnly Expiry, string Signature, int Line)
{
    /// <summary>
    /// The bytes that are signed: `talos-waiver-v1`, then id, reason, owner and expiry (`yyyy-MM-dd`), each as a line of UTF-8 ended by LF;
    /// in the reason every run of white space is one blank.
    /// </summary>
    public byte[] SignedBytes() => Encoding.UTF8.GetBytes(
        $"talos-waiver-v1\n{Id}\n{OneLine(Reason)}\n{OneLine(Owner)}\n{Expiry.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}\n");

    /// <summary>The waiver with a signature by <paramref name="key"/> (ECDSA with SHA-256, DER, base64).</summary>
    public Waiver Sign(ECDsa key) => this with
    {
        Signature = Convert.ToBase64String(key.SignData(SignedBytes(), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)),
    };

    static string OneLine(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
