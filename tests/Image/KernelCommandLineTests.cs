using Xunit;

namespace Talos.Image.Tests;

public sealed class KernelCommandLineTests : IDisposable
{
    readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Accepts_one_option_a_line_with_comments() =>
        Assert.Equal("console=ttyS0 console=tty0 ro more", Compose("# serial\nconsole=ttyS0\n\n  console=tty0\nro\n", "more"));

    [Theory]
    [InlineData("a=1 b=2\n", ":1: `a=1 b=2` is more than one option")]
    [InlineData("pti=on\npti=off\n", ":2: `pti=off` is given twice")]
    [InlineData("nosmt\nnosmt\n", ":2: `nosmt` is given twice")]
    public void Rejects(string text, string message) => Assert.EndsWith(message, Assert.Throws<ImageException>(() => Compose(text)).Message);

    [Fact]
    public void Rejects_a_line_that_leaves_no_room() => Assert.Throws<ImageException>(() => Compose("ro\n", new string('x', 1600)));

    [Fact]
    public void Accepts_the_line_that_ships()
    {
        var repository = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(repository, "Talos.sln"))) repository = Path.GetDirectoryName(repository)!;
        Assert.Contains("lockdown=confidentiality", KernelCommandLine.Compose(Path.Combine(repository, "os/kernel/cmdline.txt"), []), StringComparison.Ordinal);
    }

    string Compose(string text, params string[] more)
    {
        File.WriteAllText(_path, text);
        return KernelCommandLine.Compose(_path, more);
    }
}
