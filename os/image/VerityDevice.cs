using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Talos.Image;

/// <summary>
/// Appends to a file system image what the kernel's dm-verity needs to check each block as it is read.
/// Layout: Linux Documentation/admin-guide/device-mapper/verity.rst, hash type 1; the superblock is that of veritysetup.
/// <code>
/// data blocks │ superblock │ root level (1 block) │ … │ level 1 │ level 0 (digests of the data blocks)
/// </code>
/// A digest is SHA-256(salt ‖ block); a hash block holds 128 of them.
/// </summary>
sealed record VerityDevice
{
    /// <summary>Bytes in a block, of data and of hashes alike.</summary>
    public const int BlockBytes = 4096;

    const int DigestBytes = SHA256.HashSizeInBytes;
    const int DigestsPerBlock = BlockBytes / DigestBytes;
    const int SectorBytes = 512;

    /// <summary>The digest that stands for the whole image.</summary>
    public required string RootHash { get; init; }

    /// <summary>Put in front of each block before it is hashed; follows from the data, so that equal images are equal bytes.</summary>
    public required string Salt { get; init; }

    /// <summary>Blocks of data; the hash area starts behind them.</summary>
    public required long DataBlocks { get; init; }

    /// <summary>Hashes <paramref name="path"/>, whose length is a multiple of <see cref="BlockBytes"/>, and appends the tree to it.</summary>
    /// <exception cref="ImageException">The length is not such a multiple, or is no more than one block.</exception>
    public static VerityDevice Append(string path)
    {
        using var file = File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        if (file.Length % BlockBytes != 0 || file.Length <= BlockBytes)
            throw new ImageException($"the file system image `{path}` has {file.Length} bytes, which is not several blocks of {BlockBytes}");
        var dataBlocks = file.Length / BlockBytes;
        var salt = SHA256.HashData(file);

        // Bottom up: each level is the digests of the one below, padded to whole blocks.
        var levels = new List<byte[]> { HashLevel(file, dataBlocks, salt) };
        while (levels[^1].Length > BlockBytes) levels.Add(HashLevel(new MemoryStream(levels[^1]), levels[^1].Length / BlockBytes, salt));

        file.Position = file.Length;
        file.Write(Superblock(dataBlocks, salt));
        for (var i = levels.Count - 1; i >= 0; i--) file.Write(levels[i]);
        file.Flush(flushToDisk: true);
        return new VerityDevice
        {
            RootHash = Convert.ToHexStringLower(HashBlock(levels[^1], salt)),
            Salt = Convert.ToHexStringLower(salt),
            DataBlocks = dataBlocks,
        };
    }

    /// <summary>
    /// What makes the kernel check the image and use it as its root, for the kernel's command line.
    /// A block that does not match ends in a panic, not in a read error that a program might survive.
    /// </summary>
    /// <param name="device">The block device that will hold the image, as the kernel calls it.</param>
    public IReadOnlyList<string> KernelOptions(string device) =>
    [
        $"dm-mod.waitfor={device}",
        $"dm-mod.create=\"root,,0,ro,0 {DataBlocks * (BlockBytes / SectorBytes)} verity 1 {device} {device} {BlockBytes} {BlockBytes} " +
            $"{DataBlocks} {DataBlocks + 1} sha256 {RootHash} {Salt} 1 panic_on_corruption\"",
        "root=/dev/dm-0",
        "rootfstype=squashfs",
        "ro",
        "init=/sbin/init",
    ];

    static byte[] HashLevel(Stream blocks, long count, ReadOnlySpan<byte> salt)
    {
        blocks.Position = 0;
        var level = new byte[(count + DigestsPerBlock - 1) / DigestsPerBlock * BlockBytes];
        var block = new byte[BlockBytes];
        for (var i = 0; i < count; i++)
        {
            blocks.ReadExactly(block);
            HashBlock(block, salt).CopyTo(level.AsSpan(i * DigestBytes));
        }
        return level;
    }

    static byte[] HashBlock(ReadOnlySpan<byte> block, ReadOnlySpan<byte> salt)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(salt);
        hash.AppendData(block);
        return hash.GetHashAndReset();
    }

    // signature[8] version(4) hash_type(4) uuid[16] algorithm[32] data_block(4) hash_block(4) data_blocks(8) salt_size(2) pad[6] salt[256]
    static byte[] Superblock(long dataBlocks, ReadOnlySpan<byte> salt)
    {
        var block = new byte[BlockBytes];
        var span = block.AsSpan();
        "verity"u8.CopyTo(span);
        BinaryPrimitives.WriteInt32LittleEndian(span[8..], 1);
        BinaryPrimitives.WriteInt32LittleEndian(span[12..], 1);
        Identifier(salt).CopyTo(span[16..]);
        Encoding.ASCII.GetBytes("sha256", span[32..]);
        BinaryPrimitives.WriteInt32LittleEndian(span[64..], BlockBytes);
        BinaryPrimitives.WriteInt32LittleEndian(span[68..], BlockBytes);
        BinaryPrimitives.WriteInt64LittleEndian(span[72..], dataBlocks);
        BinaryPrimitives.WriteInt16LittleEndian(span[80..], (short)salt.Length);
        salt.CopyTo(span[88..]);
        return block;
    }

    // RFC 9562 §5.8: version 8, the rest is ours; it follows from the data as the salt does.
    static byte[] Identifier(ReadOnlySpan<byte> salt)
    {
        var identifier = SHA256.HashData(salt)[..16];
        identifier[6] = (byte)(0x80 | (identifier[6] & 0x0f));
        identifier[8] = (byte)(0x80 | (identifier[8] & 0x3f));
        return identifier;
    }
}
