using Talos.Checks;

namespace Talos.Kspp;

/// <summary>Which settings a scan asks for.</summary>
public enum KsppEdition
{
    /// <summary>Every setting that we know, those of the checker's development version too. What the gate and a node's report use.</summary>
    Complete = 0,

    /// <summary>What kernel-hardening-checker 0.6.17.1 asks for, so that outputs can be compared row by row.</summary>
    Released,
}

/// <summary>The catalogue of kernel hardening settings: kernel configuration, command line, sysctls; five architectures.</summary>
public static class KsppCatalogue
{
    static readonly Lazy<CheckCatalogue> s_released = new(() => CheckCatalogue.Join([Part("kconfig"), Part("cmdline"), Part("sysctl")]));
    static readonly Lazy<CheckCatalogue> s_complete = new(() => CheckCatalogue.Join([s_released.Value, Part("newer")]));

    public static CheckCatalogue Load(KsppEdition edition = KsppEdition.Complete) => edition switch
    {
        KsppEdition.Complete => s_complete.Value,
        KsppEdition.Released => s_released.Value,
        _ => throw new ArgumentOutOfRangeException(nameof(edition), edition, "no such edition"),
    };

    static CheckCatalogue Part(string name) => CheckCatalogue.RequireEmbedded(typeof(KsppCatalogue).Assembly, $"kspp/{name}.yaml");
}
