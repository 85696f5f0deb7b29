using System.CommandLine;
using System.Text.Json.Nodes;
using Grpc.Core;
using Talos.Api.Machine.V1;
using Talos.Osctl.Nodes;
using Talos.Osctl.Output;

namespace Talos.Osctl.Commands;

static class DiskCommands
{
    static readonly Option<bool> Inodes = new("--inodes", "-i") { Description = "Count inodes instead of bytes" };

    static readonly Option<bool> Bytes = new("--bytes", "-b") { Description = "Sizes in bytes" };

    sealed record MountTable(MountsResponse Mounts, DiskUsageResponse Usage);

    public static Verb Mounts() => new("mounts", "List what is mounted on the nodes", "osctl mounts", "osctl mounts -n cp-1 -o wide")
    {
        Run = async invocation => Answers.Print(invocation,
            await FanOut.AskAsync(invocation, AskMountsAsync, invocation.Timeout),
            invocation.Table("NODE", "FILESYSTEM", "SIZE(GB)", "USED(GB)", "AVAILABLE(GB)", "PERCENT USED", "MOUNTED ON", "+TYPE", "+OPTIONS"),
            AddMounts,
            answer => new JsonObject { ["mounts"] = MessageTree.From(answer.Mounts)["mounts"]!.DeepClone() }),
    };

    public static Verb Usage() => new("df", "Show the size and use of the nodes' file systems", "osctl df", "osctl df -i", "osctl df -n worker-1 --bytes")
    {
        OtherNames = ["usage"],
        Options = { Inodes, Bytes },
        Run = invocation => invocation.AskAndPrintAsync(
            (c, options) => c.Machine().DiskUsageAsync(new DiskUsageRequest(), options),
            invocation.Get(Inodes)
                ? invocation.Table("NODE", "VOLUME", "FILESYSTEM", "INODES", "IUSED", "IFREE", "%IUSED", "MOUNT POINT")
                : invocation.Table("NODE", "VOLUME", "FILESYSTEM", "SIZE", "USED", "AVAILABLE", "USAGE", "MOUNT POINT"),
            (table, node, answer) =>
            {
                foreach (var f in answer.Filesystems) AddUsage(table, node, f, invocation.Get(Inodes), invocation.Get(Bytes));
            }),
    };

    static async Task<MountTable> AskMountsAsync(PeerConnection connection, CallOptions options)
    {
        var machine = connection.Machine();
        var mounts = machine.MountsAsync(new MountsRequest(), options);
        var usage = machine.DiskUsageAsync(new DiskUsageRequest(), options);
        return new MountTable(await mounts, await usage);
    }

    static void AddMounts(Table table, string node, MountTable answer)
    {
        var usage = answer.Usage.Filesystems.GroupBy(f => f.MountedOn).ToDictionary(g => g.Key, g => g.Last());
        foreach (var mount in answer.Mounts.Mounts)
        {
            var use = usage.GetValueOrDefault(mount.Target) ?? new DiskUse();
            var used = Used(use);
            table.Add(node, mount.Source, Text.Gigabytes(use.Size), Text.Gigabytes(used), Text.Gigabytes(use.Available), Text.Percent(used, use.Size), mount.Target, mount.Filesystem, mount.Options);
        }
    }

    static void AddUsage(Table table, string node, DiskUse f, bool inodes, bool bytes)
    {
        var volume = f.MountedOn switch { "/" => "ROOT", "/state" => "STATE", _ => "" };
        if (inodes)
        {
            var taken = f.Inodes - Math.Min(f.Inodes, f.InodesFree);
            table.Add(node, volume, f.Filesystem, Text.Number(f.Inodes), Text.Number(taken), Text.Number(f.InodesFree), Text.Percent(taken, f.Inodes), f.MountedOn);
            return;
        }
        Func<ulong, string> size = bytes ? Text.Number : Text.Size;
        table.Add(node, volume, f.Filesystem, size(f.Size), size(Used(f)), size(f.Available), Text.Percent(Used(f), f.Size), f.MountedOn);
    }

    static ulong Used(DiskUse use) => use.Size - Math.Min(use.Size, use.Available);
}
