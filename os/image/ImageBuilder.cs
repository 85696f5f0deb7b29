using Talos.Checks;

namespace Talos.Image;

/// <summary>Builds an image in a folder: tree, gate, file system, verified root, command line, manifest.</summary>
static class ImageBuilder
{
    /// <summary>Kernel, root file system, command line and manifest, as they are called in the output folder.</summary>
    internal const string KernelName = "vmlinuz", RootName = "rootfs.img", CommandLineName = "cmdline", ManifestName = "manifest.json";

    // The root image is the first disk of a node.
    const string RootDevice = "/dev/vda";

    // LIMIT: something that is not meant to be there has got in, such as an executable that was not stripped.
    const long MaxTotalBytes = 40_000_000;

    /// <summary>
    /// Builds into <paramref name="output"/>. What was there before stays until everything has succeeded, so a refused
    /// candidate leaves the image before it in place.
    /// </summary>
    /// <param name="gate">Gives the proof without which nothing is put in place.</param>
    internal static ImageManifest Build(ImageSources sources, string output, Func<ImageCandidate, GatePass> gate)
    {
        Directory.CreateDirectory(output);
        var staging = Path.Combine(output, ".building");
        if (Directory.Exists(staging)) Directory.Delete(staging, recursive: true);
        Directory.CreateDirectory(staging);
        try
        {
            var tree = RootTree.Assemble(sources, Path.Combine(staging, "tree"));
            var root = Path.Combine(staging, RootName);
            SquashFileSystem.Pack(tree.Folder, root);
            var verity = VerityDevice.Append(root);
            var commandLine = KernelCommandLine.Compose(sources.CommandLine, verity.KernelOptions(RootDevice));
            File.WriteAllText(Path.Combine(staging, CommandLineName), commandLine + "\n");
            File.Copy(sources.Kernel, Path.Combine(staging, KernelName));
            var pass = gate(new(tree, new KernelFiles(
                sources.KernelConfiguration, Path.Combine(staging, CommandLineName), Path.Combine(tree.Folder, "etc/talos/sysctl.conf"))));

            string[] names = [KernelName, RootName, CommandLineName];
            var manifest = new ImageManifest
            {
                Version = sources.Version,
                KernelRelease = ReadRelease(sources.KernelConfiguration),
                CommandLine = commandLine,
                RootHash = verity.RootHash,
                Files = [.. names.Select(name => Describe(staging, name))],
                Tree = [.. tree.Entries()],
            };
            if (manifest.TotalBytes > MaxTotalBytes)
                throw new ImageException($"the image has {manifest.TotalBytes} bytes; more than {MaxTotalBytes} is too much");
            PutInPlace(staging, output, manifest, pass);
            return manifest;
        }
        finally
        {
            Directory.Delete(staging, recursive: true);
        }
    }

    /// <summary>Compares an image with its manifest.</summary>
    /// <exception cref="ImageException">A file is missing or is not the one that was built.</exception>
    internal static ImageManifest Verify(string folder)
    {
        var path = Path.Combine(folder, ManifestName);
        if (!File.Exists(path)) throw new ImageException($"there is no image in `{folder}`", "build one: make image");
        var manifest = ImageManifest.Parse(File.ReadAllText(path), path);
        foreach (var expected in manifest.Files)
        {
            if (!File.Exists(Path.Combine(folder, expected.Name))) throw new ImageException($"`{expected.Name}` of the image is missing");
            if (Describe(folder, expected.Name) != expected) throw new ImageException($"`{expected.Name}` is not what the manifest says", "build the image again");
        }
        return manifest;
    }

    // Takes the proof: an image that did not pass the gate cannot get here.
    static void PutInPlace(string staging, string output, ImageManifest manifest, GatePass pass)
    {
        ArgumentNullException.ThrowIfNull(pass);
        File.WriteAllText(Path.Combine(staging, ManifestName), manifest.ToJson());
        foreach (var name in manifest.Files.Select(file => file.Name).Append(ManifestName))
            File.Move(Path.Combine(staging, name), Path.Combine(output, name), overwrite: true);
    }

    static ImageFile Describe(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        return new(name, new FileInfo(path).Length, RootTreeEntry.HashFile(path));
    }

    // The heading of a configuration: "# Linux/x86 6.12.117 Kernel Configuration"
    static string ReadRelease(string configuration)
    {
        foreach (var line in File.ReadLines(configuration).Take(5))
            if (line.Split(' ') is ["#", var system, var release, "Kernel", "Configuration"] && system.StartsWith("Linux/", StringComparison.Ordinal))
                return release;
        throw new ImageException($"`{configuration}` is not a kernel configuration");
    }
}
