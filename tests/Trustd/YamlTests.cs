using Talos.Api.Configuration;
using Talos.Fuzz;
using Talos.Policy;
using Xunit;

namespace Talos.Trustd.Tests;

public sealed class YamlTests
{
    [Fact]
    public void Rejects_what_makes_the_library_fail_with_an_error_that_says_so() =>
        Assert.Contains("yaml: ", Assert.Throws<PolicyException>(() => RegoInput.Parse("%TAG ! \n--- 1\n", "x.yaml")).Message, StringComparison.Ordinal);

    [Fact]
    public void Writes_what_looks_like_the_end_of_a_line_so_that_it_is_read_again()
    {
        const string Path = "/a \u2028 b\u2029\uFEFF\u0085";
        var text = $"cluster: demo\nnode: cp-1\nlisten: 10.0.0.10:50001\nstate: /state\npolicy: {System.Text.Json.JsonSerializer.Serialize(Path)}\n";
        var configuration = TrustdConfiguration.Parse(text, "trustd.yaml").RequireValue();
        Assert.Equal(Path, configuration.Policy);
        Assert.Equal(Path, TrustdConfiguration.Parse(configuration.ToYaml(), "written.yaml").RequireValue().Policy);
    }

    // Hundreds of thousands: dotnet run -c Release --project tests/Fuzz -- yaml 300000
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Survives_damaged_policy_data_and_configurations(int seed)
    {
        var (read, refused) = YamlFuzz.Run(3000, seed);
        Assert.True(read > 300 && refused > 300, $"{read} were read and {refused} refused, so the run proves little");
    }
}
