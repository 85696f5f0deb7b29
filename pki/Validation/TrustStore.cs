using System.Collections.Immutable;

namespace Talos.Pki;

/// <summary>Trust anchors, indexed by name. Immutable: a new bundle is a new store.</summary>
public sealed class TrustStore
{
    readonly Dictionary<DistinguishedName, ImmutableArray<Certificate>> _bySubject = [];

    TrustStore(ImmutableArray<Certificate> anchors)
    {
        Anchors = anchors;
        foreach (Certificate anchor in anchors)
            _bySubject[anchor.Subject] = _bySubject.GetValueOrDefault(anchor.Subject, []).Add(anchor);
    }

    public ImmutableArray<Certificate> Anchors { get; }

    public static TrustStore Create(IEnumerable<Certificate> anchors) => new([.. anchors.Distinct()]);

    public static TrustStore Create(params ReadOnlySpan<Certificate> anchors) => new([.. anchors.ToArray().Distinct()]);

    /// <summary>Reads a PEM bundle; one certificate that cannot be read refuses the bundle.</summary>
    public static Checked<TrustStore> Parse(ReadOnlySpan<byte> pem) =>
        Certificate.ParseBundle(pem).Is(out CertificateBundle? bundle, out PkiFailure? failure)
            ? Checked<TrustStore>.Of(Create(bundle.Certificates))
            : failure;

    internal ImmutableArray<Certificate> Named(DistinguishedName subject) => _bySubject.GetValueOrDefault(subject, []);
}
