using System.Text;
using Talos.Api.Configuration;
using Talos.Linux;
using Talos.Linux.Kernel;

namespace Talos.Machined.Boot;

/// <summary>Where a machine's configuration is looked for, in this order; the first that is there is used, right or wrong.</summary>
static class ConfigurationSource
{
    const string FirmwarePath = "/sys/firmware/qemu_fw_cfg/by_name/opt/talos/config/raw";
    const string VolumeLabel = "TALOSCFG";
    const string VolumeFile = "machine.yaml";
    const string KernelArgument = "talos.config=base64:";
    const string MountPoint = "/run/talos/config";
    // COMMAND_LINE_SIZE of x86 without the NUL: the kernel silently cuts off what is beyond it.
    const int CommandLineMaximum = 2047;
    // LIMIT: as the configuration's parser has it.
    const int DocumentBytesMaximum = 256 << 10;

    sealed record Source(string Name, Func<byte[]?> Read);

    static readonly Source[] Sources =
    [
        new("fw_cfg:opt/talos/config", () => File.Exists(FirmwarePath) ? ProcFile.ReadBytes(FirmwarePath, DocumentBytesMaximum + 1) : null),
        new($"{VolumeLabel}:{VolumeFile}", ReadVolume),
        new("talos.config", () => FromCommandLine(ProcFile.ReadText("/proc/cmdline", DocumentBytesMaximum))),
    ];

    /// <summary>The configuration, or null and a sentence that says why there is none.</summary>
    internal static MachineConfiguration? Find(out string reason)
    {
        foreach (var source in Sources)
        {
            try
            {
                if (source.Read() is { } document)
                    return Parse(document, source.Name, out reason);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
            {
                reason = $"{source.Name}: {e.Message}";
                return null;
            }
        }
        reason = "no machine configuration; hint: give one by fw_cfg `opt/talos/config`, a disk labelled TALOSCFG with `machine.yaml`, or `talos.config=base64:…`";
        return null;
    }

    internal static MachineConfiguration? Parse(ReadOnlySpan<byte> document, string name, out string reason)
    {
        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(document);
        }
        catch (DecoderFallbackException)
        {
            reason = $"{name}: not UTF-8";
            return null;
        }
        return MachineConfiguration.Parse(text, name).TryGet(out var configuration, out reason) ? configuration : null;
    }

    /// <exception cref="FormatException">The argument is there but no base64, or may have lost its end.</exception>
    internal static byte[]? FromCommandLine(string commandLine)
    {
        if (commandLine.TrimEnd('\n').Length >= CommandLineMaximum && commandLine.Contains(KernelArgument, StringComparison.Ordinal))
            throw new FormatException($"the kernel's command line is full ({CommandLineMaximum} bytes), so the argument may have lost its end; hint: give the configuration by a disk");
        foreach (var argument in commandLine.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            if (argument.StartsWith(KernelArgument, StringComparison.Ordinal))
                return Convert.FromBase64String(argument[KernelArgument.Length..]);
        }
        return null;
    }

    /// <summary>A line of the kernel's log without the configuration that the kernel repeats in it.</summary>
    internal static string Hide(string line)
    {
        var start = line.IndexOf(KernelArgument, StringComparison.Ordinal);
        if (start < 0)
            return line;
        var end = line.IndexOf(' ', start);
        return line[..(start + KernelArgument.Length)] + "…" + (end < 0 ? "" : line[end..]);
    }

    static byte[]? ReadVolume()
    {
        // FAT keeps labels in upper case, so all are compared that way.
        if (Volume.All().FirstOrDefault(volume => string.Equals(volume.Label, VolumeLabel, StringComparison.OrdinalIgnoreCase)) is not { } found)
            return null;
        Directory.CreateDirectory(MountPoint);
        Mounts.Attach(found.Device, MountPoint, found.FileSystem, MountFlags.ReadOnly | MountFlags.NoSuid | MountFlags.NoDevices | MountFlags.NoExecute);
        try
        {
            return ProcFile.ReadBytes(Path.Combine(MountPoint, VolumeFile), DocumentBytesMaximum + 1);
        }
        finally
        {
            Mounts.Detach(MountPoint);
        }
    }
}
