using System.Text;
using System.Text.Json;

namespace Talos.Policy;

/// <summary>What a bundle's files say: modules, and data documents put where their folders are.</summary>
static class BundleContent
{
    static readonly UTF8Encoding Utf8 = new(false, true);

    public static List<(string File, string Text)> Modules(IReadOnlyList<BundleFile> files, bool withTests)
    {
        var modules = new List<(string, string)>();
        foreach (BundleFile file in files)
        {
            if (!file.Path.EndsWith(".rego", StringComparison.Ordinal) || (!withTests && file.Path.EndsWith("_test.rego", StringComparison.Ordinal))) continue;
            try
            {
                modules.Add((file.Path, Utf8.GetString(file.Content)));
            }
            catch (DecoderFallbackException e)
            {
                throw new PolicyException([new PolicyError("rego_parse_error", file.Path, 0, 0, $"the module is not UTF-8 at byte {e.Index}")]);
            }
        }
        return modules;
    }

    public static ObjectValue Data(IReadOnlyList<BundleFile> files, List<PolicyError> errors)
    {
        Value root = ObjectValue.Empty;
        foreach (BundleFile file in files)
        {
            string name = file.Path[(file.Path.LastIndexOf('/') + 1)..];
            if (!name.StartsWith("data.", StringComparison.Ordinal)) continue;
            if (Read(file, errors) is not { } value) continue;
            string[] folders = file.Path.Split('/')[..^1];
            if (folders.Length == 0 && value is not ObjectValue)
            {
                errors.Add(new PolicyError("bundle_error", file.Path, 1, 1, "the document at the root must be an object"));
                continue;
            }
            foreach (string folder in folders.Reverse()) value = ObjectValue.From((folder, value));
            if (Merge(root, value, "data") is { } conflict) errors.Add(new PolicyError("bundle_error", file.Path, 0, 0, $"two data documents define `{conflict}`"));
            else root = ObjectBuiltins.Merge((ObjectValue)root, (ObjectValue)value);
        }
        return (ObjectValue)root;
    }

    static Value? Read(BundleFile file, List<PolicyError> errors)
    {
        try
        {
            return file.Path == ".manifest" || file.Path.EndsWith(".json", StringComparison.Ordinal) ? ValueJson.Parse(file.Content) : YamlDocument.Read(Utf8.GetString(file.Content));
        }
        catch (JsonException e)
        {
            errors.Add(PolicyError.OfJson(file.Path, e));
        }
        catch (Exception e) when (e is BuiltinException or DecoderFallbackException)
        {
            errors.Add(new PolicyError("bundle_error", file.Path, 0, 0, e.Message));
        }
        return null;
    }

    // The first path at which both say something that is no object.
    static string? Merge(Value a, Value b, string path)
    {
        if (a is not ObjectValue x || b is not ObjectValue y) return path;
        foreach ((Value key, Value value) in y.Pairs)
            if (x.Get(key) is { } before && Merge(before, value, path + "." + ValueJson.KeyText(key)) is { } conflict) return conflict;
        return null;
    }

    /// <summary>OPA: a bundle owns only what lies below the roots of its manifest.</summary>
    public static void CheckRoots(IReadOnlyList<BundleFile> files, Program program, List<PolicyError> errors)
    {
        if (files.FirstOrDefault(f => f.Path == ".manifest") is not { } manifest || Read(manifest, errors) is not { } document) return;
        void Wrong(string problem, string hint) => errors.Add(new PolicyError("bundle_error", manifest.Path, 0, 0, problem, hint));
        if (document is not ObjectValue) Wrong("the manifest must be an object", "for instance {\"roots\": [\"talos\"]}");
        if (document.Get("revision") is not (null or StringValue)) Wrong("`revision` must be a string", "whatever names this version of the bundle");
        if (document.Get("roots") is not { } given) return;
        if (given is not ArrayValue list || list.Items.Any(r => r is not StringValue))
        {
            Wrong("`roots` must be a list of paths", "for instance [\"talos\"]");
            return;
        }
        string[] roots = [.. list.Items.Select(r => ((StringValue)r).Text.Trim('/'))];
        for (int i = 0; i < roots.Length; i++)
            for (int j = 0; j < roots.Length; j++)
                if (i != j && (roots[j] + "/").StartsWith(roots[i].Length == 0 ? "" : roots[i] + "/", StringComparison.Ordinal) && (i < j || roots[i] != roots[j]))
                    Wrong($"the root `{roots[j]}` lies within the root `{roots[i]}`", "each path has one root");
        bool Owned(string path) => roots.Any(r => r.Length == 0 || path == r || path.StartsWith(r + "/", StringComparison.Ordinal));
        foreach (ModuleSyntax module in program.Modules)
            if (!Owned(string.Join('/', module.PackagePath)))
                errors.Add(module.Package.At.Error("bundle_error", $"the package is outside of the manifest's roots {string.Join(", ", roots)}"));
        foreach (BundleFile file in files)
        {
            string folder = file.Path.Contains('/', StringComparison.Ordinal) ? file.Path[..file.Path.LastIndexOf('/')] : "";
            if (file.Path[(file.Path.LastIndexOf('/') + 1)..].StartsWith("data.", StringComparison.Ordinal) && !Owned(folder))
                errors.Add(new PolicyError("bundle_error", file.Path, 0, 0, $"the document is outside of the manifest's roots {string.Join(", ", roots)}"));
        }
    }
}
