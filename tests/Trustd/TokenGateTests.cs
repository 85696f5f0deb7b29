using Talos.Trustd.Issuance;
using Xunit;

namespace Talos.Trustd.Tests;

public sealed class TokenGateTests
{
    [Theory]
    [InlineData("worker-*", "worker-1", true)]
    [InlineData("worker-*", "worker-", true)]
    [InlineData("worker-*", "worker-1.example.org", false)]
    [InlineData("*.example.org", "w1.example.org", true)]
    [InlineData("*.example.org", "w1.other.example.org", false)]
    [InlineData("worker-*-rack*", "worker-12-rack3", true)]
    [InlineData("worker-1", "worker-1", true)]
    [InlineData("worker-1", "worker-10", false)]
    [InlineData("*", "cp-1", true)]
    [InlineData("*", "cp-1.evil", false)]
    public void Accepts_names_that_fit_and_no_others(string pattern, string name, bool fits) => Assert.Equal(fits, TokenGate.Matches(pattern, name));
}
