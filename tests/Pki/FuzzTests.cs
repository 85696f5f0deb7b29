using Talos.Fuzz;
using Xunit;

namespace Talos.Pki.Tests;

public sealed class FuzzTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Survives_damaged_documents(int seed)
    {
        (int accepted, int refused) = PkiFuzz.Run(6000, seed);
        // Both happen, or the damage is either harmless or total and shows nothing.
        Assert.InRange(accepted, 100, 5900);
        Assert.Equal(6000, accepted + refused);
    }
}
