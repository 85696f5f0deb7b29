using Talos.Checks.Rules;
using Talos.Checks.Yaml;

namespace Talos.Checks;

public sealed partial class CheckCatalogue
{
    // Fields that a section sets for all its checks and a check may set for itself.
    sealed record Defaults(string? Cite, string? Rationale, string? Remediation, string? Authority, int Level, ScanTargets Targets, Rule? When);

    sealed class CatalogueReader(string file)
    {
        // LIMIT: the largest benchmark known to us has 500 checks; reports grow with their number.
        const int MaxChecks = 5_000;

        static readonly string[] s_architectures = ["X86_64", "X86_32", "ARM64", "ARM", "RISCV"];

        readonly List<SourceError> _errors = [];
        readonly HashSet<string> _ids = new(StringComparer.Ordinal);
        readonly List<Check> _checks = [];
        string _catalogue = "";

        public Parsed<CheckCatalogue> Read(string text)
        {
            var parsed = YamlText.ParseOne(text, file);
            if (parsed.Value is not { } document) return new(parsed.Errors);
            if (MapReader.Of(document, "a catalogue", file, _errors) is not { } map) return new(_errors);
            _catalogue = map.Required("catalogue");
            var (title, version, source) = (map.Required("title"), map.Required("version"), map.Required("source"));
            foreach (var section in map.Items("sections", required: true)) ReadSection(section);
            map.RefuseOthers();
            if (_checks.Count == 0 && _errors.Count == 0) map.Error(document, "the catalogue has no checks");
            return _errors.Count > 0 ? new(_errors) : new(new CheckCatalogue(_catalogue, title, version, source, _checks));
        }

        void ReadSection(YamlNode node)
        {
            if (MapReader.Of(node, "a section", file, _errors) is not { } map) return;
            var (id, title) = (map.Required("id"), map.Required("title"));
            var defaults = ReadDefaults(map, new(null, null, null, null, 1, ScanTargets.Image | ScanTargets.Node, null));
            foreach (var check in map.Items("checks", required: true)) ReadCheck(check, id, title, defaults);
            map.RefuseOthers();
        }

        Defaults ReadDefaults(MapReader map, Defaults outer) => new(
            map.Text("cite") ?? outer.Cite,
            map.Text("rationale") ?? outer.Rationale,
            map.Text("remediation") ?? outer.Remediation,
            map.Text("authority") ?? outer.Authority,
            ReadLevel(map) ?? outer.Level,
            ReadTargets(map) ?? outer.Targets,
            ReadRule(map, "when") ?? outer.When);

        void ReadCheck(YamlNode node, string sectionId, string sectionTitle, Defaults outer)
        {
            if (MapReader.Of(node, "a check", file, _errors) is not { } map) return;
            var id = map.Scalar("id");
            if (id is null) map.Required("id");
            else if (!_ids.Add(id.Value)) map.Error(id, $"`{id.Value}` is the id of an earlier check");
            else if (!id.Value.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
                map.Error(id, $"`{id.Value}` is no id", "letters, digits, dots, dashes and underscores");
            var title = map.Required("title");
            var fields = ReadDefaults(map, outer);
            var architectures = ReadArchitectures(map);
            var manual = map.Text("manual");
            var rule = ReadRule(map, "rule");
            map.RefuseOthers();
            if (map.Take("rule") is null && manual is null) map.Error(node, "a check needs `rule` or `manual`");
            Demand(map, node, "cite", fields.Cite);
            Demand(map, node, "rationale", fields.Rationale);
            Demand(map, node, "remediation", fields.Remediation);
            if (_checks.Count == MaxChecks) map.Error(node, $"more than {MaxChecks} checks");
            if (_errors.Count > 0 || id is null || _checks.Count > MaxChecks) return;
            _checks.Add(new Check
            {
                Id = id.Value,
                Catalogue = _catalogue,
                SectionId = sectionId,
                SectionTitle = sectionTitle,
                Title = title,
                Level = fields.Level,
                Authority = fields.Authority ?? _catalogue,
                Citation = fields.Cite!,
                Rationale = fields.Rationale!,
                Remediation = fields.Remediation!,
                Targets = fields.Targets,
                Architectures = architectures,
                Manual = manual,
                Rule = rule,
                Condition = fields.When,
                Line = node.Line,
            });
        }

        static void Demand(MapReader map, YamlNode node, string field, string? value)
        {
            if (value is null) map.Error(node, $"`{field}` is missing", "give it to the check or to its section");
        }

        static int? ReadLevel(MapReader map)
        {
            var scalar = map.Scalar("level");
            if (scalar is null) return null;
            if (scalar.Value is "1" or "2") return scalar.Value[0] - '0';
            map.Error(scalar, $"`{scalar.Value}` is no level", "levels are 1 and 2");
            return null;
        }

        static ScanTargets? ReadTargets(MapReader map)
        {
            ScanTargets? targets = null;
            foreach (var item in map.Texts("targets"))
            {
                var target = item.Value switch
                {
                    "image" => ScanTargets.Image,
                    "node" => ScanTargets.Node,
                    "kernel-files" => ScanTargets.KernelFiles,
                    _ => ScanTargets.None,
                };
                if (target == ScanTargets.None) map.Error(item, $"unknown target `{item.Value}`", "targets are image, node, kernel-files");
                targets = (targets ?? ScanTargets.None) | target;
            }
            return targets;
        }

        static List<string> ReadArchitectures(MapReader map)
        {
            var names = new List<string>();
            foreach (var item in map.Texts("arch"))
            {
                if (!s_architectures.Contains(item.Value))
                    map.Error(item, $"unknown architecture `{item.Value}`", $"architectures are {string.Join(", ", s_architectures)}");
                names.Add(item.Value);
            }
            return names;
        }

        Rule? ReadRule(MapReader map, string key) =>
            map.Take(key) is { } node ? new RuleParser(file, _errors).Parse(node) : null;
    }
}
