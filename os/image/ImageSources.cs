namespace Talos.Image;

/// <summary>Where an image comes from.</summary>
sealed record ImageSources
{
    /// <summary>The kernel image that a boot loader starts.</summary>
    public required string Kernel { get; init; }

    /// <summary>The configuration that the kernel was built with.</summary>
    public required string KernelConfiguration { get; init; }

    /// <summary>The kernel's command line, one option a line, without what this program adds for the verified root.</summary>
    public required string CommandLine { get; init; }

    /// <summary>The folder with the static files of the root file system.</summary>
    public required string RootFiles { get; init; }

    /// <summary>The folder with the node's executables, one file each.</summary>
    public required string Executables { get; init; }

    /// <summary>The folder with the policy that every node starts with.</summary>
    public required string Policy { get; init; }

    /// <summary>The waivers under which the image passes its gate; a node's own checks honour them too.</summary>
    public required string Waivers { get; init; }

    /// <summary>The public keys whose signatures on waivers count.</summary>
    public required string WaiverSigners { get; init; }

    /// <summary>The version that the image carries in <c>/etc/os-release</c> and in its manifest.</summary>
    public required string Version { get; init; }
}
