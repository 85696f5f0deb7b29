using System.Globalization;

namespace Talos.Cluster.Provisioning;

/// <summary>Nodes as ordinary processes: machined, which supervises osd and trustd with the code that init uses.</summary>
/// <param name="executables">Folder with machined, osd and trustd.</param>
/// <param name="policy">Folder of the policy bundle.</param>
public sealed class ProcessNodes(string executables, string policy)
{
    /// <summary>Starts a node whose configuration lies in its folder, unless it runs.</summary>
    /// <exception cref="ClusterException">An executable is missing.</exception>
    public void Start(ClusterRecord record, PlannedNode node)
    {
        if (record.Running(node) is not null) return;
        foreach (var name in (string[])["machined", "osd", "trustd"])
        {
            if (!File.Exists(Path.Combine(executables, name))) throw new ClusterException($"there is no `{name}` in `{executables}`", "`make up PROVISIONER=process` builds it, or name the folder with `--bin`");
        }
        var (state, run) = (Path.Combine(node.Folder, "state"), Path.Combine(node.Folder, "run"));
        Directory.CreateDirectory(state);
        Directory.CreateDirectory(run);
        record.Started(node, Launcher.Start(node.ConsoleFile, Path.Combine(Path.GetFullPath(executables), "machined"),
        [
            "--standalone", "--config", node.ConfigurationFile, "--state", state, "--run", run, "--bin", Path.GetFullPath(executables),
            "--policy", Path.GetFullPath(policy), "--listen-base", node.Api.Port.ToString(CultureInfo.InvariantCulture),
        ]));
    }
}
