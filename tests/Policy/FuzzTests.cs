using Xunit;

namespace Talos.Policy.Tests;

public sealed class FuzzTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Survives_mutated_modules(int seed) => PolicyFuzz.Run(seed, 400, Path.Combine(Shipped.Root, "tests", "vectors", "policy", "opa-v1"));
}
