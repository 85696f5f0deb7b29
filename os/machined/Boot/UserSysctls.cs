using Talos.Linux.Kernel;

namespace Talos.Machined.Boot;

/// <summary>Kernel settings of the machine configuration. What the image hardens stays as it is.</summary>
static class UserSysctls
{
    internal const string ImageSettings = "/etc/talos/sysctl.conf";

    /// <returns>What is wrong; empty when the kernel has every setting.</returns>
    internal static IReadOnlyList<string> Apply(IReadOnlyDictionary<string, string> wanted, IReadOnlyList<SysctlSetting> image)
    {
        var problems = new List<string>();
        foreach (var (name, value) in wanted)
        {
            if ((Conflict(name, value, image) ?? Sysctl.TryWrite(name, value)) is { } problem)
                problems.Add("machine.sysctls: " + problem);
        }
        return problems;
    }

    /// <summary>A setting of the image may be repeated, not changed: which direction weakens a setting is not for every one a matter of numbers.</summary>
    internal static string? Conflict(string name, string value, IReadOnlyList<SysctlSetting> image)
    {
        var hardened = image.FirstOrDefault(setting => setting.Name == name);
        return hardened is null || hardened.Value == value ? null : $"`{name}` is `{hardened.Value}` on every node and cannot become `{value}`";
    }
}
