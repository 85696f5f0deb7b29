using Xunit;

namespace Talos.Image.Tests;

public sealed class VerityDeviceTests : IDisposable
{
    readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    // 2: one hash block; 129: two levels; 16500: three levels, the lowest not full.
    [Theory]
    [InlineData(2)]
    [InlineData(128)]
    [InlineData(129)]
    [InlineData(16500)]
    public void Accepts_what_veritysetup_accepts(int blocks)
    {
        var verity = Append(blocks);
        var (exitCode, text) = Tool.Run("veritysetup", "verify", _path, _path, $"--hash-offset={blocks * VerityDevice.BlockBytes}", verity.RootHash);
        Assert.True(exitCode == 0, text);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(16499)]
    public void Rejects_one_changed_bit(int block)
    {
        const int Blocks = 16500;
        var verity = Append(Blocks);
        using (var file = File.Open(_path, FileMode.Open))
        {
            file.Position = (long)block * VerityDevice.BlockBytes + 17;
            var changed = (byte)(file.ReadByte() ^ 1);
            file.Position--;
            file.WriteByte(changed);
        }
        var (exitCode, _) = Tool.Run("veritysetup", "verify", _path, _path, $"--hash-offset={Blocks * VerityDevice.BlockBytes}", verity.RootHash);
        Assert.NotEqual(0, exitCode);
    }

    [Fact]
    public void Accepts_the_same_data_with_the_same_root_hash()
    {
        var first = Append(200);
        Assert.Equal(first, Append(200));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4096)]
    [InlineData(8191)]
    public void Rejects_lengths_that_are_not_several_blocks(int length)
    {
        File.WriteAllBytes(_path, new byte[length]);
        Assert.Throws<ImageException>(() => VerityDevice.Append(_path));
    }

    [Fact]
    public void Accepts_the_table_form_of_the_kernel()
    {
        var verity = Append(200);
        Assert.Contains(
            $"dm-mod.create=\"root,,0,ro,0 1600 verity 1 /dev/vda /dev/vda 4096 4096 200 201 sha256 {verity.RootHash} {verity.Salt} 1 panic_on_corruption\"",
            verity.KernelOptions("/dev/vda"));
    }

    VerityDevice Append(int blocks)
    {
        var data = new byte[blocks * VerityDevice.BlockBytes];
        new Random(blocks).NextBytes(data);
        File.WriteAllBytes(_path, data);
        return VerityDevice.Append(_path);
    }
}
