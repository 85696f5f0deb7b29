using System.CommandLine;
using Talos.Image;

// Exit codes: 0 done, 1 the image was refused or could not be built, 2 (from the parser) the command is wrong.
var kernel = new Option<string>("--kernel") { Description = "The kernel image", DefaultValueFactory = _ => "out/kernel/vmlinuz" };
var configuration = new Option<string>("--kernel-config") { Description = "The kernel's configuration", DefaultValueFactory = _ => "out/kernel/config" };
var commandLine = new Option<string>("--cmdline") { Description = "The kernel's command line, one option a line", DefaultValueFactory = _ => "os/kernel/cmdline.txt" };
var rootFiles = new Option<string>("--rootfs") { Description = "The static files of the root file system", DefaultValueFactory = _ => "os/rootfs" };
var executables = new Option<string>("--executables") { Description = "The node's executables", DefaultValueFactory = _ => "out/node" };
var policy = new Option<string>("--policy") { Description = "The policy that a node starts with", DefaultValueFactory = _ => "policy/bundle" };
var version = new Option<string>("--image-version") { Description = "The version that the image carries", DefaultValueFactory = _ => "0.0.0" };
var waivers = new Option<string>("--waivers")
{
    Description = "Checks that the image may fail, with reasons and signatures",
    DefaultValueFactory = _ => "os/waivers.yaml",
};
var signers = new Option<string>("--waiver-signers")
{
    Description = "The public keys whose signatures count",
    DefaultValueFactory = _ => "os/waiver-signers.pem",
};
var output = new Option<string>("--out") { Description = "Where the image goes", DefaultValueFactory = _ => "out/image" };

var build = new Command("build", "Build an image and hold it to the checks; an image that fails them is not written")
{
    kernel, configuration, commandLine, rootFiles, executables, policy, version, waivers, signers, output,
};
build.SetAction(result => Guard(() =>
{
    var sources = new ImageSources
    {
        Kernel = result.GetValue(kernel)!,
        KernelConfiguration = result.GetValue(configuration)!,
        CommandLine = result.GetValue(commandLine)!,
        RootFiles = result.GetValue(rootFiles)!,
        Executables = result.GetValue(executables)!,
        Policy = result.GetValue(policy)!,
        Waivers = result.GetValue(waivers)!,
        WaiverSigners = result.GetValue(signers)!,
        Version = result.GetValue(version)!,
    };
    var folder = result.GetValue(output)!;
    var gate = new ImageGate(result.GetValue(waivers)!, result.GetValue(signers)!, folder, TimeProvider.System);
    var manifest = ImageBuilder.Build(sources, folder, gate.Require);
    foreach (var file in manifest.Files) Console.WriteLine($"{folder}/{file.Name}: {file.SizeBytes} bytes");
    Console.WriteLine($"Linux {manifest.KernelRelease}, {manifest.Tree.Count} paths, {manifest.TotalBytes} bytes in all, root hash {manifest.RootHash}");
}));

var folder = new Argument<string>("folder") { Description = "The folder of the image", DefaultValueFactory = _ => "out/image" };
var verify = new Command("verify", "Compare the files of an image with its manifest") { folder };
verify.SetAction(result => Guard(() =>
{
    var manifest = ImageBuilder.Verify(result.GetValue(folder)!);
    Console.WriteLine($"unchanged: {manifest.Version}, root hash {manifest.RootHash}");
}));

return new RootCommand("Builds and gates the Talos image") { build, verify }.Parse(args).Invoke();

static int Guard(Action action)
{
    try
    {
        action();
        return 0;
    }
    catch (Exception exception) when (exception is ImageException or IOException or UnauthorizedAccessException)
    {
        Console.Error.WriteLine($"error: {exception.Message}");
        if (exception is ImageException { Hint: { } hint }) Console.Error.WriteLine($"hint: {hint}");
        return 1;
    }
}
