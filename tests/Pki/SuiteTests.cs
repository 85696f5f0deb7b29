using System.IO.Compression;
using Talos.Conformance;
using Xunit;

namespace Talos.Pki.Tests;

public sealed class SuiteTests
{
    static string Vectors(params string[] parts) => Path.Combine([AppContext.BaseDirectory, "vectors", .. parts]);

    [Fact]
    public void Accepts_and_rejects_as_limbo_says()
    {
        using var file = new GZipStream(File.OpenRead(Vectors("x509-limbo", "limbo.json.gz")), CompressionMode.Decompress);
        var output = new StringWriter();
        Limbo.Run(file, reasons: false, output);
        string text = output.ToString();
        Assert.DoesNotContain("ACCEPTED", text, StringComparison.Ordinal);
        Assert.DoesNotContain("REFUSED", text, StringComparison.Ordinal);
        Assert.EndsWith("703 passed, 0 failed\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Accepts_and_rejects_as_pkits_says()
    {
        var output = new StringWriter();
        Pkits.Run(Vectors("pkits"), reasons: false, output);
        Assert.Equal("0 false accepts, 0 false rejects\n151 passed, 0 failed\n", output.ToString());
    }
}
