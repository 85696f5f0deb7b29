using Talos.Checks;

namespace Talos.CisBench;

/// <summary>The catalogues that hold an image or a node to the CIS benchmarks and to what the product promises.</summary>
public static class CisCatalogues
{
    static readonly Lazy<CheckCatalogue> s_image = new(() => Part("image"));
    static readonly Lazy<CheckCatalogue> s_node = new(() => Part("node"));
    static readonly Lazy<CheckCatalogue> s_linux = new(() => Part("linux"));
    static readonly Lazy<CheckCatalogue> s_kubernetes = new(() => Part("kubernetes"));

    /// <summary>What an image of ours promises: no shell, no interpreter, nothing writable, hardened executables.</summary>
    public static CheckCatalogue Image => s_image.Value;

    /// <summary>What a running node of ours promises: confined services, a verified root, a kernel that nobody changes.</summary>
    public static CheckCatalogue Node => s_node.Value;

    /// <summary>The sections of the CIS Linux benchmark that a system without shell and log-in can be held to.</summary>
    public static CheckCatalogue Linux => s_linux.Value;

    /// <summary>The CIS Kubernetes benchmark 1.12, every recommendation.</summary>
    public static CheckCatalogue Kubernetes => s_kubernetes.Value;

    static CheckCatalogue Part(string name) => CheckCatalogue.RequireEmbedded(typeof(CisCatalogues).Assembly, $"cis/{name}.yaml");
}
