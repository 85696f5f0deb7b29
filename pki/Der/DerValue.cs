namespace Talos.Pki;

/// <summary>One tag-length-value, with its place in the outermost document.</summary>
readonly ref struct DerValue
{
    public required byte Tag { get; init; }

    /// <summary>Offset of the identifier octet.</summary>
    public required int Start { get; init; }

    /// <summary>Offset of the first content octet.</summary>
    public required int ContentStart { get; init; }

    public required ReadOnlySpan<byte> Content { get; init; }

    public int End => ContentStart + Content.Length;

    public Range Whole => Start..End;

    public Range Inner => ContentStart..End;

    public DerReader Reader() => new(Content, ContentStart);
}
