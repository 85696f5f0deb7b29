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

    [Theory]
    [InlineData("""{ "$schema": "https://json-schema.org/draft/2020-12/schema", "properties": { "testcases": {} } }""", "it has no list `testcases`")]
    [InlineData("""{ "testcases": [] }""", "the suite holds no cases")]
    [InlineData("""{ "testcases": [ { "id": "a::b", "expected_result": "SUCCESS" } ] }""", "case 0 has a field missing or of another type")]
    [InlineData("""[ 1, 2 ]""", "it has no list `testcases`")]
    [InlineData("-----BEGIN CERTIFICATE-----", "invalid")]
    public void Rejects_a_file_that_is_no_limbo_suite(string content, string says)
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, content);
            var errors = new StringWriter();
            Assert.Equal(2, Limbo.RunFile(file, reasons: false, TextWriter.Null, errors));
            Assert.StartsWith($"error: `{file}` is no x509-limbo suite: ", errors.ToString(), StringComparison.Ordinal);
            Assert.Contains(says, errors.ToString(), StringComparison.Ordinal);
            Assert.Contains("\nhint: ", errors.ToString(), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Accepts_and_rejects_as_pkits_says()
    {
        var output = new StringWriter();
        Pkits.Run(Vectors("pkits"), reasons: false, output);
        Assert.Equal("0 false accepts, 0 false rejects\n151 passed, 0 failed\n", output.ToString());
    }
}
