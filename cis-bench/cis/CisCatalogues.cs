using Talos.Checks;

namespace Talos.CisBench;

/// <summary>The catalogues that hold a tree or a node to the CIS benchmarks and to what the product promises.</summary>
public static class CisCatalogues
{
    static readonly Lazy<CheckCatalogue> s_image = new(() => Part("image"));

    /// <summary>What an image of ours promises: no shell, no interpreter, nothing writable, hardened executables.</summary>
    public static CheckCatalogue Image => s_image.Value;

    static CheckCatalogue Part(string name) => CheckCatalogue.RequireEmbedded(typeof(CisCatalogues).Assembly, $"cis/{name}.yaml");
}
