using System.Collections.Immutable;

namespace Talos.Pki;

/// <summary>
/// Policy processing (RFC 5280 §6.1.3(d)–6.1.5(g)) over the graph of RFC 9618, which holds each policy once per level and so
/// cannot grow exponentially as the tree could.
/// </summary>
sealed class PolicyTree
{
    const string Any = ObjectIdentifiers.AnyPolicy;

    sealed class Node(string policy, HashSet<string> expected, List<Node> parents)
    {
        public string Policy { get; } = policy;

        public HashSet<string> Expected { get; set; } = expected;

        public List<Node> Parents { get; } = parents;
    }

    readonly ValidationOptions _options;
    readonly ImmutableArray<Certificate> _path;
    List<Dictionary<string, Node>>? _levels = [new() { [Any] = new Node(Any, [Any], []) }];
    int _explicit, _mapping, _any;

    PolicyTree(ImmutableArray<Certificate> path, ValidationOptions options)
    {
        _path = path;
        _options = options;
        int n = path.Length - 1;
        _explicit = options.RequireExplicitPolicy ? 0 : n + 1;
        _mapping = options.InhibitPolicyMapping ? 0 : n + 1;
        _any = options.InhibitAnyPolicy ? 0 : n + 1;
    }

    /// <summary>Processes every certificate below the anchor, the anchor's neighbour first.</summary>
    public static PathFault? Fault(ImmutableArray<Certificate> path, ValidationOptions options) => new PolicyTree(path, options).Run();

    PathFault? Run()
    {
        for (int at = _path.Length - 2; at >= 0; at--)
        {
            Certificate certificate = _path[at];
            bool last = at == 0;
            AddLevel(certificate, last);
            // §6.1.3(f)
            if (_explicit == 0 && _levels is null)
                return new PathFault(ValidationReason.Policy, "a policy is required and none is valid for the path", certificate);
            if (last)
                break;
            if (MappingFault(certificate) is { } fault)
                return fault;
            Count(certificate);
        }

        return WrapUp();
    }

    // §6.1.3(d–e)
    void AddLevel(Certificate certificate, bool last)
    {
        if (_levels is null)
            return;
        if (certificate.Policies is not { } policies)
        {
            _levels = null;
            return;
        }

        Dictionary<string, Node> above = _levels[^1];
        var level = new Dictionary<string, Node>();
        foreach (string policy in policies)
        {
            if (policy == Any)
                continue;
            List<Node> parents = [.. above.Values.Where(node => node.Expected.Contains(policy))];
            if (parents.Count == 0 && above.TryGetValue(Any, out Node? any))
                parents.Add(any);
            if (parents.Count > 0)
                level[policy] = new Node(policy, [policy], parents);
        }

        if (policies.Contains(Any) && (_any > 0 || (!last && certificate.IsSelfIssued)))
            foreach (Node node in above.Values)
                foreach (string policy in node.Expected)
                {
                    // (d)(2) speaks of policies to which (d)(1) gave no node.
                    if (policy != Any && policies.Contains(policy))
                        continue;
                    if (!level.TryGetValue(policy, out Node? child))
                        level[policy] = child = new Node(policy, [policy], []);
                    child.Parents.Add(node);
                }

        _levels.Add(level);
        Prune();
    }

    // §6.1.4(a–b)
    PathFault? MappingFault(Certificate certificate)
    {
        foreach (PolicyMapping mapping in certificate.PolicyMappings)
            if (mapping.IssuerPolicy == Any || mapping.SubjectPolicy == Any)
                return new PathFault(ValidationReason.Policy, "a policy mapping names any policy", certificate);
        if (_levels is null || certificate.PolicyMappings.IsEmpty)
            return null;
        Dictionary<string, Node> level = _levels[^1];
        foreach (IGrouping<string, PolicyMapping> group in certificate.PolicyMappings.GroupBy(m => m.IssuerPolicy))
        {
            if (_mapping == 0)
            {
                level.Remove(group.Key);
                continue;
            }

            HashSet<string> mapped = [.. group.Select(m => m.SubjectPolicy)];
            if (level.TryGetValue(group.Key, out Node? node))
                node.Expected = mapped;
            else if (level.TryGetValue(Any, out Node? any))
                level[group.Key] = new Node(group.Key, mapped, [.. any.Parents]);
        }

        Prune();
        return null;
    }

    // §6.1.4(h–j)
    void Count(Certificate certificate)
    {
        if (!certificate.IsSelfIssued)
        {
            _explicit = Math.Max(0, _explicit - 1);
            _mapping = Math.Max(0, _mapping - 1);
            _any = Math.Max(0, _any - 1);
        }

        if (certificate.PolicyConstraints is { } constraints)
        {
            _explicit = Math.Min(_explicit, constraints.RequireExplicitPolicy ?? _explicit);
            _mapping = Math.Min(_mapping, constraints.InhibitPolicyMapping ?? _mapping);
        }

        _any = Math.Min(_any, certificate.InhibitAnyPolicy ?? _any);
    }

    // §6.1.5(a–b), (g)
    PathFault? WrapUp()
    {
        Certificate leaf = _path[0];
        _explicit = Math.Max(0, _explicit - 1);
        if (leaf.PolicyConstraints?.RequireExplicitPolicy == 0)
            _explicit = 0;
        return _explicit > 0 || IsAcceptable() ? null : new PathFault(ValidationReason.Policy, "no acceptable policy is valid for the path", leaf);
    }

    // A leaf policy is acceptable when the policy it stems from in the anchor's domain is among the initial ones.
    bool IsAcceptable()
    {
        if (_levels is null)
            return false;
        if (_options.InitialPolicies.IsEmpty || _options.InitialPolicies.Contains(Any))
            return true;
        var seen = new HashSet<Node>();
        var open = new Stack<Node>(_levels[^1].Values);
        while (open.TryPop(out Node? node))
        {
            if (!seen.Add(node))
                continue;
            if (node.Policy == Any && _levels[^1].ContainsValue(node))
                return true;
            foreach (Node parent in node.Parents)
            {
                if (parent.Policy != Any)
                    open.Push(parent);
                else if (_options.InitialPolicies.Contains(node.Policy))
                    return true;
            }
        }

        return false;
    }

    // §6.1.3(d)(3): a node that the level below does not continue is gone; an empty level ends the graph.
    void Prune()
    {
        for (int depth = _levels!.Count - 1; depth > 0; depth--)
        {
            HashSet<Node> continued = [.. _levels[depth].Values.SelectMany(node => node.Parents)];
            foreach (Node node in _levels[depth - 1].Values.Where(node => !continued.Contains(node)).ToArray())
                _levels[depth - 1].Remove(node.Policy);
        }

        if (_levels[^1].Count == 0)
            _levels = null;
    }
}
