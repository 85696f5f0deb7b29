using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Talos.Checks;
using Talos.CisBench;
using Talos.Kspp;

namespace Talos.Fuzz;

/// <summary>
/// Damaged files where the checks read: catalogues, waivers, kernel files, and a node's tree with its /proc. Each must give a value, errors or Unknown;
/// an exception is a defect, and so is a waiver that holds after it was damaged.
/// </summary>
static class ChecksFuzz
{
    static readonly string[] s_pieces = ["\0", "\n", "\r", "\"", "'", ": ", "- ", "&a ", "*a ", "{", "[", "=", "#", "999999999999", "-1", "\u2028", "\t", "..", "/", "*", "\\", "is", "any:", "\x7fELF"];

    public static int Run(string[] arguments)
    {
        var cases = arguments is [var text, ..] ? int.Parse(text, CultureInfo.InvariantCulture) : 3_000;
        var seed = arguments is [_, var given, ..] ? int.Parse(given, CultureInfo.InvariantCulture) : 1;
        var random = new Random(seed);
        var folder = Directory.CreateTempSubdirectory("talos-fuzz-checks-");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var waivers = Waivers.Write([new Waiver("a", "because", "me", new(2027, 1, 1), "", 1).Sign(key)]);
        var samples = Samples(folder.FullName);
        CheckCatalogue[] all = [KsppCatalogue.Load(), CisCatalogues.Image, CisCatalogues.Node, CisCatalogues.Linux, CisCatalogues.Kubernetes];
        const string catalogue = "catalogue: own\ntitle: t\nversion: \"1\"\nsource: s\nsections:\n  - id: s\n    title: S\n    cite: c\n    rationale: r\n    remediation: r\n    checks:\n"
            + "      - id: own.a\n        title: t\n        when: file /x present\n        rule:\n          any:\n            - sysctl a is 1\n            - all: [mode /etc/* at-most 0644, cmdline b matches \"^x$\"]\n";
        try
        {
            for (var i = 0; i < cases; i++)
            {
                try
                {
                    CheckCatalogue.Parse(Damage(random, catalogue), "fuzz.yaml");
                    var damaged = Damage(random, waivers);
                    if (Waivers.Parse(damaged, "w", key.ExportSubjectPublicKeyInfoPem(), "s").Value is { } held && held.Entries.Any(w => !IsTheOne(w)))
                        throw new InvalidDataException($"a damaged waiver holds: {damaged}");
                    var victim = samples[random.Next(samples.Count)];
                    File.WriteAllBytes(victim.Path, Damage(random, victim.Content));
                    KsppScan.Run(new(Path.Combine(folder.FullName, "config"), Path.Combine(folder.FullName, "cmdline"), Path.Combine(folder.FullName, "sysctl")), TimeProvider.System);
                    ComplianceScan.Run(all, ProbeRoot.Node(Path.Combine(folder.FullName, "root")), TimeProvider.System);
                    ComplianceScan.Run(all, ProbeRoot.Image(Path.Combine(folder.FullName, "root"), new(Path.Combine(folder.FullName, "config"))), TimeProvider.System);
                    File.WriteAllBytes(victim.Path, victim.Content);
                }
                catch (Exception e)
                {
                    Console.Error.WriteLine($"case {i} of seed {seed}: {e}");
                    return 1;
                }
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
        Console.WriteLine($"{cases} cases of seed {seed}: every one gave a value, errors or Unknown");
        return 0;
    }

    // Damage to white space and to quoting may leave the waiver as it was.
    static bool IsTheOne(Waiver waiver) => waiver is { Id: "a", Owner: "me" } && waiver.Expiry == new DateOnly(2027, 1, 1) && waiver.Reason.Trim() == "because";

    static List<(string Path, byte[] Content)> Samples(string folder)
    {
        var samples = new List<(string, byte[])>();
        Add("config", "# Linux/x86 6.12.48 Kernel Configuration\nCONFIG_X86_64=y\n# CONFIG_MODULES is not set\nCONFIG_LSM=\"lockdown,yama\"\nCONFIG_GCC_VERSION=140200\nCONFIG_CLANG_VERSION=0\n");
        Add("cmdline", "console=ttyS0 dm-mod.create=\"a b\" panic=-1\n");
        Add("sysctl", "kernel.arch = x86_64\nkernel.sysrq = 0\n");
        Add("root/etc/passwd", "root:x:0:0:root:/root:/sbin/nologin\n");
        Add("root/etc/group", "root:x:0:\n");
        Add("root/etc/kubernetes/manifests/kube-apiserver.yaml", "spec:\n  containers:\n  - command: [kube-apiserver, --profiling=false]\n");
        Add("root/var/lib/kubelet/config.yaml", "authentication:\n  anonymous: {enabled: false}\n");
        Add("root/proc/1/cmdline", "/sbin/init\0");
        Add("root/proc/1/status", "Name:\tinit\nUid:\t0\t0\t0\t0\n");
        Add("root/proc/self/mountinfo", "20 1 254:0 / / ro,relatime - squashfs /dev/dm-0 ro\n");
        Add("root/proc/net/tcp", "  sl  local_address rem_address   st\n   0: 00000000:C350 00000000:0000 0A 0\n");
        Add("root/proc/net/udp", "  sl\n");
        Add("root/proc/modules", "a 1 0 - Live 0x0\n");
        Add("root/proc/cmdline", "console=ttyS0\n");
        Add("root/sys/kernel/security/lsm", "lockdown,yama");
        Add("root/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
        Add("root/state/osd/node.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        // The first page of an executable: this program's own.
        var executable = new byte[4096];
        using (var self = File.OpenRead(Environment.ProcessPath!)) self.ReadExactly(executable);
        AddBytes("root/sbin/init", executable);
        return samples;

        void Add(string name, string text) => AddBytes(name, Encoding.UTF8.GetBytes(text));

        void AddBytes(string name, byte[] content)
        {
            var path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, content);
            if (name.Contains("sbin", StringComparison.Ordinal)) File.SetUnixFileMode(path, (UnixFileMode)0x1ed);
            samples.Add((path, content));
        }
    }

    static string Damage(Random random, string text)
    {
        for (var i = random.Next(4); i >= 0; i--)
        {
            var at = random.Next(text.Length + 1);
            text = random.Next(3) switch
            {
                0 => text.Insert(at, s_pieces[random.Next(s_pieces.Length)]),
                1 => text.Remove(at, Math.Min(random.Next(12), text.Length - at)),
                _ => text[..at] + text[random.Next(text.Length + 1)..],
            };
        }
        return text;
    }

    static byte[] Damage(Random random, byte[] content)
    {
        if (content.Length < 4096) return Encoding.UTF8.GetBytes(Damage(random, Encoding.UTF8.GetString(content)));
        var copy = content[..random.Next(64, content.Length)];
        // The header and the table behind it decide; damage there is what matters.
        for (var i = random.Next(1, 12); i > 0; i--) copy[4 + random.Next(Math.Min(copy.Length - 4, 700))] = (byte)random.Next(256);
        return copy;
    }
}
