using Xunit;

namespace Talos.Audit.Tests;

public sealed class TamperTests
{
    // The full hundred thousand run with: dotnet run -c Release --project tests/Fuzz -- audit-tamper 100000
    const int Cases = 9000;

    [Fact]
    public void Rejects_every_way_of_tampering_and_names_the_entry()
    {
        TamperMatrix matrix = new();
        List<string> wrong = [];
        for (int number = 0; number < Cases && wrong.Count < 20; number++)
            if (matrix.Run(number) is { } what) wrong.Add(what);
        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
    }
}
