using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Talos.Api.Configuration;
using Talos.Checks;
using Talos.Osctl.Output;

namespace Talos.Osctl.Commands;

static partial class ComplianceCommand
{
    static readonly Argument<string> CheckId = new("ID") { Description = "A check, as reports name it" };

    static readonly Argument<string> Earlier = new("A") { Description = "A report, from `osctl compliance scan -o json`" };

    static readonly Argument<string> Later = new("B") { Description = "A later report" };

    static readonly Argument<string> WaiverFile = new("FILE") { Description = "Waivers; the file is written again with signatures" };

    static readonly Option<string> SigningKey = new("--key") { Description = "Private key, PEM, on an elliptic curve", HelpName = "FILE" };

    static Verb List() => new("list", "List every check", "osctl compliance list", "osctl compliance list --benchmark cis-kubernetes -o wide")
    {
        Options = { Benchmark, Catalogues },
        Run = invocation =>
        {
            var checks = Chosen(invocation).SelectMany(c => c.Checks);
            if (invocation.IsTree)
            {
                TreeWriter.Write(invocation.Output, new JsonArray([.. checks.Select(Tree)]), invocation.Format);
                return Task.FromResult(ExitCode.Done);
            }
            var table = invocation.Table("ID", "BENCHMARK", "LEVEL", "TITLE", "+RULE", "+SOURCE");
            foreach (var check in checks)
                table.Add(check.Id, check.Catalogue, check.Level.ToString(System.Globalization.CultureInfo.InvariantCulture), check.Title, check.RuleText, check.Citation);
            table.Write(invocation.Output);
            return Task.FromResult(ExitCode.Done);
        },
    };

    static Verb Explain() => new("explain", "Say what a check demands, why, and how it is decided", "osctl compliance explain kspp.kconfig.KFENCE")
    {
        Arguments = { CheckId },
        Options = { Catalogues },
        Run = invocation =>
        {
            var id = invocation.Get(CheckId);
            var all = Chosen(invocation).SelectMany(c => c.Checks).ToArray();
            var check = Array.Find(all, c => c.Id == id)
                ?? throw new OsctlException($"there is no check `{id}`", Spelling.Nearest(id, all.Select(c => c.Id)) is { } meant ? $"did you mean `{meant}`?" : "`osctl compliance list` shows them");
            if (invocation.IsTree)
            {
                TreeWriter.Write(invocation.Output, Tree(check), invocation.Format);
                return Task.FromResult(ExitCode.Done);
            }
            invocation.Output.WriteLine($"{check.Id}: {check.Title}");
            foreach (var (name, text) in new[]
            {
                ("benchmark", $"{check.Catalogue}, {check.SectionTitle}, level {check.Level}"), ("why", check.Rationale), ("to do", check.Remediation), ("source", check.Citation),
                ("applies", check.ConditionText.Length > 0 ? $"when {check.ConditionText}" : "always"),
                ("built for", check.Architectures.Count > 0 ? string.Join(", ", check.Architectures) : "every architecture"),
                ("decided by", check.RuleText.Length > 0 ? check.RuleText : $"a person: {check.Manual}"),
            })
                invocation.Output.WriteLine($"  {name,-10} {text}");
            return Task.FromResult(ExitCode.Done);
        },
    };

    static Verb Diff() => new("diff", "Compare two reports: what changed from one to the other", "osctl compliance diff before.json after.json")
    {
        Arguments = { Earlier, Later },
        Run = invocation =>
        {
            var (before, after) = (ReadVerdicts(invocation.Get(Earlier)), ReadVerdicts(invocation.Get(Later)));
            var table = invocation.Table("ID", "BEFORE", "AFTER");
            var (worse, changes) = (false, new JsonArray());
            foreach (var id in before.Keys.Union(after.Keys).Order(StringComparer.Ordinal))
            {
                var (was, now) = (before.GetValueOrDefault(id, "-"), after.GetValueOrDefault(id, "-"));
                if (was == now) continue;
                table.Add(id, was, now);
                changes.Add((JsonNode)new JsonObject { ["id"] = id, ["before"] = was, ["after"] = now });
                worse |= now is "FAIL" or "UNKNOWN";
            }
            if (invocation.IsTree)
            {
                TreeWriter.Write(invocation.Output, changes, invocation.Format);
            }
            else
            {
                if (table.Count > 0) table.Write(invocation.Output);
                invocation.Output.WriteLine(table.Count == 0 ? "nothing changed" : $"{table.Count} changed");
            }
            return Task.FromResult(worse ? ExitCode.NotInOrder : ExitCode.Done);
        },
    };

    static Verb Sign() => new("sign", "Sign every waiver of a file", "osctl compliance sign os/waivers.yaml --key waivers.key")
    {
        Arguments = { WaiverFile },
        Options = { SigningKey },
        Run = invocation =>
        {
            var file = invocation.Get(WaiverFile);
            var parsed = Talos.Checks.Waivers.ReadUnsigned(File.ReadAllText(file), file);
            if (parsed.Value is not { } waivers) throw Refused(parsed.Errors);
            var keyFile = Given(invocation, SigningKey) ?? throw new OsctlException("there is no key to sign with", "name it with `--key FILE`; `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` makes one");
            using var key = ECDsa.Create();
            try
            {
                key.ImportFromPem(File.ReadAllText(keyFile));
            }
            catch (Exception e) when (e is CryptographicException or ArgumentException)
            {
                throw new OsctlException($"`{keyFile}` holds no private key on an elliptic curve");
            }
            File.WriteAllText(file, Talos.Checks.Waivers.Write(waivers.Entries.Select(w => w.Sign(key))));
            invocation.Output.WriteLine($"{waivers.Entries.Count} waivers signed");
            return Task.FromResult(ExitCode.Done);
        },
    };

    static JsonObject Tree(Check check) => new()
    {
        ["id"] = check.Id,
        ["benchmark"] = check.Catalogue,
        ["section"] = check.SectionTitle,
        ["title"] = check.Title,
        ["level"] = check.Level,
        ["authority"] = check.Authority,
        ["citation"] = check.Citation,
        ["rationale"] = check.Rationale,
        ["remediation"] = check.Remediation,
        ["architectures"] = new JsonArray([.. check.Architectures.Select(a => (JsonNode)a)]),
        ["condition"] = check.ConditionText,
        ["rule"] = check.RuleText,
        ["manual"] = check.Manual ?? "",
    };

    static Dictionary<string, string> ReadVerdicts(string file)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(file));
            if (json.RootElement.GetProperty("format").GetString() != "talos-compliance-v1") throw new OsctlException($"`{file}` is no compliance report");
            return json.RootElement.GetProperty("results").EnumerateArray().ToDictionary(r => r.GetProperty("id").GetString()!, r => r.GetProperty("verdict").GetString()!);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException)
        {
            throw new OsctlException($"`{file}` is no compliance report", "`osctl compliance scan -o json` writes one");
        }
    }
}
