using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Talos.Linux.Native;

/// <summary>What .NET does not offer of OpenSSL 3's libcrypto; the library is the one that .NET itself has loaded or is linked to.</summary>
static partial class LibCrypto
{
    const string Library = "libcrypto.so.3";

    [LibraryImport(Library)]
    internal static partial SafeEvpPKeyHandle EVP_PKEY_dup(SafeEvpPKeyHandle key);

    [LibraryImport(Library)]
    internal static partial int EVP_PKEY_set1_encoded_public_key(SafeEvpPKeyHandle key, ReadOnlySpan<byte> point, nuint length);

    [LibraryImport(Library)]
    internal static partial void ERR_clear_error();
}
