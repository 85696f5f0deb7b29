namespace Talos.Linux.Files;

/// <summary>What statx(2) tells of a file.</summary>
/// <param name="Mode">st_mode: type and permission bits.</param>
public sealed record FileStatus(uint Mode, ulong Size, DateTimeOffset Modified, uint User, uint Group)
{
    const uint TypeMask = 0xF000, Directory = 0x4000, Regular = 0x8000, Link = 0xA000;

    public bool IsDirectory => (Mode & TypeMask) == Directory;

    public bool IsRegular => (Mode & TypeMask) == Regular;

    public bool IsSymbolicLink => (Mode & TypeMask) == Link;
}
