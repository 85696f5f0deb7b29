namespace Talos.Cluster;

/// <summary>What a node of a cluster on one machine is.</summary>
public enum Provisioner
{
    /// <summary>Not said.</summary>
    Unspecified = 0,

    /// <summary>Ordinary processes on loopback: no kernel of ours, no isolation, up in seconds.</summary>
    Process,

    /// <summary>A virtual machine that boots the image.</summary>
    Qemu,
}
