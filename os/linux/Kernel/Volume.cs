using System.Buffers.Binary;
using System.Text;

namespace Talos.Linux.Kernel;

/// <summary>A block device with a labelled file system.</summary>
/// <param name="FileSystem">As mount(2) calls it.</param>
public sealed record Volume(string Device, string FileSystem, string Label)
{
    const int Ext4Superblock = 1024, IsoDescriptor = 32768;

    /// <summary>Every labelled volume that the kernel knows now, by name.</summary>
    public static IReadOnlyList<Volume> All()
    {
        var volumes = new List<Volume>();
        foreach (var entry in Directory.EnumerateFileSystemEntries("/sys/class/block").Order(StringComparer.Ordinal))
        {
            var device = "/dev/" + Path.GetFileName(entry);
            if (TryIdentify(device) is { } volume)
                volumes.Add(volume);
        }
        return volumes;
    }

    static Volume? TryIdentify(string device)
    {
        try
        {
            using var file = File.OpenHandle(device);
            Span<byte> head = stackalloc byte[2048], descriptor = stackalloc byte[128];
            var headLength = RandomAccess.Read(file, head, 0);
            var descriptorLength = RandomAccess.Read(file, descriptor, IsoDescriptor);
            return Identify(device, head[..headLength], descriptor[..descriptorLength]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // An empty drive or a device that is not ready has no volume.
            return null;
        }
    }

    /// <param name="head">The volume's first 2 KiB.</param>
    /// <param name="descriptor">The 128 bytes at 32 KiB.</param>
    internal static Volume? Identify(string device, ReadOnlySpan<byte> head, ReadOnlySpan<byte> descriptor)
    {
        // ext4: s_magic at 56, s_volume_name[16] at 120 of the superblock
        if (head.Length >= 2048 && BinaryPrimitives.ReadUInt16LittleEndian(head[(Ext4Superblock + 56)..]) == 0xEF53)
            return new Volume(device, "ext4", Text(head.Slice(Ext4Superblock + 120, 16)));
        // ECMA-119 §8.4: type 1, "CD001", volume identifier[32] at 40
        if (descriptor.Length >= 72 && descriptor[0] == 1 && descriptor[1..6].SequenceEqual("CD001"u8))
            return new Volume(device, "iso9660", Text(descriptor.Slice(40, 32)));
        if (head.Length >= 512 && head[510] == 0x55 && head[511] == 0xAA)
        {
            if (head.Slice(82, 5).SequenceEqual("FAT32"u8))
                return new Volume(device, "vfat", Text(head.Slice(71, 11)));
            if (head.Slice(54, 3).SequenceEqual("FAT"u8))
                return new Volume(device, "vfat", Text(head.Slice(43, 11)));
        }
        return null;
    }

    static string Text(ReadOnlySpan<byte> padded)
    {
        var end = padded.IndexOf((byte)0);
        return Encoding.ASCII.GetString(end < 0 ? padded : padded[..end]).TrimEnd(' ');
    }
}
