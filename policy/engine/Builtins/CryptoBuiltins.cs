using System.Security.Cryptography;

namespace Talos.Policy;

static class CryptoBuiltins
{
    // CA5350, CA5351: MD5 and SHA-1 are functions of the language; nothing of ours relies on them.
#pragma warning disable CA5350, CA5351
    public static IEnumerable<Builtin> All =>
    [
        Hash("crypto.md5", MD5.HashData), Hash("crypto.sha1", SHA1.HashData), Hash("crypto.sha256", SHA256.HashData),
        Hmac("crypto.hmac.md5", HMACMD5.HashData), Hmac("crypto.hmac.sha1", HMACSHA1.HashData), Hmac("crypto.hmac.sha256", HMACSHA256.HashData), Hmac("crypto.hmac.sha512", HMACSHA512.HashData),
        Builtin.Of("crypto.hmac.equal", (a, b) => Value.From(CryptographicOperations.FixedTimeEquals(GoBytes.Of(Operand.Text(a, 1)), GoBytes.Of(Operand.Text(b, 2))))),
    ];
#pragma warning restore CA5350, CA5351

    static Builtin Hash(string name, Func<byte[], byte[]> hash) => Builtin.Of(name, v => Value.From(Convert.ToHexStringLower(hash(GoBytes.Of(Operand.Text(v, 1))))));

    static Builtin Hmac(string name, Func<byte[], byte[], byte[]> hmac) => Builtin.Of(name, (v, k) =>
    {
        string message = Operand.Text(v, 1);
        return Value.From(Convert.ToHexStringLower(hmac(GoBytes.Of(Operand.Text(k, 2)), GoBytes.Of(message))));
    });
}
