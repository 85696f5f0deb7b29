using System.Reflection;
using Talos.Audit;

namespace Talos.Api.Server;

/// <summary>
/// Puts start and end of a service on its record: the first start of a boot, another release than before, the policy, the stop.
/// </summary>
public static class RecordedLife
{
    static readonly string Release = "v" + (
        typeof(RecordedLife).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "");

    /// <summary>Never waits and never throws for want of a disk; what cannot be written is counted by the log.</summary>
    /// <param name="folder">The service's own folder, where the release that ran last is remembered.</param>
    public static void Started(AuditLog record, string folder)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (record.IsFirstOfBoot) record.Post(AuditEvents.Boot(Release, Kernel()));
        var path = Path.Combine(folder, "release");
        try
        {
            var before = DurableFile.Read(path)?.Trim();
            if (before is { Length: > 0 } && before != Release) record.Post(AuditEvents.Upgrade(before, Release));
            if (before != Release) DurableFile.Write(path, Release + "\n");
        }
        catch (IOException)
        {
            // Said again at the next start; the service does not depend on it.
        }
    }

    // The runtime's own description is that of the distribution.
    static string Kernel()
    {
        const string release = "/proc/sys/kernel/osrelease";
        return "Linux " + (File.Exists(release) ? File.ReadAllText(release).Trim() : Environment.OSVersion.Version.ToString(3));
    }

    /// <summary>Says which policy decides from now on, unless that is one pushed earlier, which says so itself.</summary>
    public static void Serving(AuditLog record, PolicyInForce policy)
    {
        if (policy.State.Origin == Talos.Api.Policy.V1.PolicyOrigin.Shipped) record.Post(AuditEvents.BundleInForce(policy.State.Revision));
    }

    /// <summary>The service was told to stop.</summary>
    public static void Ended(AuditLog record) => record.Post(AuditEvents.Shutdown());
}
