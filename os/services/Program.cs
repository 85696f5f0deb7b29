using Talos.Machined;
using Talos.Osd;
using Talos.Services;
using Talos.Trustd;

// One executable under three names, so that the runtime, TLS and gRPC are in the image once and in memory once. Which service it is follows
// from the name it was started by; the first argument may say so instead, where there is no link of that name.
using var start = CollectionFreeStart.Begin();
string[] names = [Path.GetFileName(StartedAs()), .. args.Take(1)];
return names switch
{
    ["machined", ..] => await MachinedProcess.RunAsync(args),
    ["osd", ..] => await OsdProcess.RunAsync(args),
    ["trustd", ..] => await TrustdProcess.RunAsync(args),
    [_, "machined"] => await MachinedProcess.RunAsync(args[1..]),
    [_, "osd"] => await OsdProcess.RunAsync(args[1..]),
    [_, "trustd"] => await TrustdProcess.RunAsync(args[1..]),
    _ => Refuse(),
};

// Not Environment.GetCommandLineArgs: just in time, that names the assembly.
static string StartedAs()
{
    var line = File.ReadAllText("/proc/self/cmdline");
    return line.IndexOf('\0') is > 0 and var end ? line[..end] : line;
}

static int Refuse()
{
    Console.Error.WriteLine("error: which service to be is told by the name or by the first argument\n  hint: `talosd machined|osd|trustd …`, or a link of that name");
    return 2;
}
