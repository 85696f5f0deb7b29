using System.Buffers.Binary;
using Talos.Checks;

namespace Talos.Image.Tests;

/// <summary>The least that an image can be built from, in a folder of its own.</summary>
sealed class SampleSources : IDisposable
{
    internal SampleSources()
    {
        Folder = Directory.CreateTempSubdirectory("image-test").FullName;
        Write("kernel/vmlinuz", "not a real kernel");
        Write("kernel/config", "#\n# Automatically generated file; DO NOT EDIT.\n# Linux/x86 6.12.117 Kernel Configuration\n#\n");
        Write("cmdline.txt", "# comment\nconsole=ttyS0\npanic=-1\n");
        Write("rootfs/etc/passwd", "root:x:0:0:root:/:/sbin/nologin\n");
        File.CreateSymbolicLink(Path.Combine(Folder, "rootfs/etc/resolv.conf"), "../run/resolv.conf");
        Write("rootfs/etc/talos/sysctl.conf", "kernel.kptr_restrict=2\n");
        Write("policy/talos/data.json", "{}");
        Write("waivers.yaml", "waivers: []\n");
        Write("signers.pem", "keys\n");
        foreach (var name in RootTree.Executables) WriteBytes("node/" + name, StaticElf(name));
    }

    internal string Folder { get; }

    internal string Output => Path.Combine(Folder, "out");

    internal ImageSources Sources => new()
    {
        Kernel = Path.Combine(Folder, "kernel/vmlinuz"),
        KernelConfiguration = Path.Combine(Folder, "kernel/config"),
        CommandLine = Path.Combine(Folder, "cmdline.txt"),
        RootFiles = Path.Combine(Folder, "rootfs"),
        Executables = Path.Combine(Folder, "node"),
        Policy = Path.Combine(Folder, "policy"),
        Waivers = Path.Combine(Folder, "waivers.yaml"),
        WaiverSigners = Path.Combine(Folder, "signers.pem"),
        Version = "1.2.3",
    };

    internal ImageManifest Build(string? output = null) => ImageBuilder.Build(Sources, output ?? Output, Pass);

    /// <summary>A gate with one check, which every candidate passes.</summary>
    internal static GatePass Pass(ImageCandidate candidate)
    {
        var catalogue = CheckCatalogue.Parse("""
            catalogue: sample
            title: Sample
            version: "1"
            source: the test
            sections:
              - id: s
                title: Section
                cite: the test
                checks:
                  - id: sample.passwd
                    title: there are accounts
                    rationale: the test
                    remediation: the test
                    rule: file /etc/passwd present
            """, "sample.yaml").Require();
        var report = ComplianceScan.Run([catalogue], ProbeRoot.Image(candidate.Tree.Folder, candidate.Kernel), TimeProvider.System);
        return Gate.Judge(report, Waivers.None, new DateOnly(2026, 11, 22)).Pass!;
    }

    internal void Write(string path, string text) => WriteBytes(path, System.Text.Encoding.UTF8.GetBytes(text));

    internal void WriteBytes(string path, byte[] bytes)
    {
        var full = Path.Combine(Folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllBytes(full, bytes);
    }

    /// <summary>An ELF file with nothing in it but what makes it pass for a static, hardened executable.</summary>
    internal static byte[] StaticElf(string content, uint stackFlags = 6, uint extraSegment = 1)
    {
        const int Header = 64, Segment = 56;
        var bytes = new byte[20_000];
        var span = bytes.AsSpan();
        "\u007fELF\u0002\u0001\u0001"u8.CopyTo(span);
        BinaryPrimitives.WriteUInt16LittleEndian(span[16..], 3);
        BinaryPrimitives.WriteUInt16LittleEndian(span[18..], 62);
        BinaryPrimitives.WriteUInt64LittleEndian(span[32..], Header);
        BinaryPrimitives.WriteUInt16LittleEndian(span[54..], Segment);
        BinaryPrimitives.WriteUInt16LittleEndian(span[56..], 3);
        WriteSegment(span[Header..], 0x6474e551, stackFlags);
        WriteSegment(span[(Header + Segment)..], 0x6474e552, 4);
        WriteSegment(span[(Header + 2 * Segment)..], extraSegment, 5);
        System.Text.Encoding.UTF8.GetBytes(content, span[1000..]);
        // incompressible, so that the image has several blocks
        new Random(content.Length).NextBytes(span[4000..]);
        return bytes;
    }

    static void WriteSegment(Span<byte> segment, uint type, uint flags)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(segment, type);
        BinaryPrimitives.WriteUInt32LittleEndian(segment[4..], flags);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
