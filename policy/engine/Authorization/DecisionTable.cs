using System.Collections.Frozen;

namespace Talos.Policy;

/// <summary>
/// Decisions that depend on method, roles, attestation and knowledge of revocations only, by those. A slot is filled when an evaluation proved that it read
/// nothing else; a null slot means: evaluate.
/// </summary>
sealed class DecisionTable
{
    // LIMIT: roles whose every combination has a slot; beyond that, only callers with one role do.
    const int MaxCombined = 8;

    const int AttestationStates = 3, KnowledgeStates = 3;

    readonly FrozenDictionary<string, int> _roles;
    readonly FrozenDictionary<string, Decision?[]> _methods;
    readonly int _sets;

    public DecisionTable(IEnumerable<string> methods, string[] roles)
    {
        Roles = roles;
        _roles = roles.Select((r, i) => (r, i)).ToFrozenDictionary(p => p.r, p => p.i, StringComparer.Ordinal);
        // One more set than combinations: the anonymous caller.
        _sets = (roles.Length <= MaxCombined ? 1 << roles.Length : roles.Length + 1) + 1;
        _methods = methods.ToFrozenDictionary(m => m, _ => new Decision?[_sets * AttestationStates * KnowledgeStates], StringComparer.Ordinal);
    }

    public string[] Roles { get; }

    public IEnumerable<string> Methods => _methods.Keys;

    /// <summary>The slot of an input; -1 when it has none.</summary>
    public Decision?[]? Find(AuthorizationInput input, RevocationKnowledge knowledge, out int slot)
    {
        slot = -1;
        if (!_methods.TryGetValue(input.Method, out Decision?[]? slots)) return null;
        int set = Set(input.Caller);
        if (set < 0) return null;
        slot = (set * AttestationStates + (int)input.Node.Attested) * KnowledgeStates + (int)knowledge;
        return slots;
    }

    int Set(AuthorizationCaller caller)
    {
        if (caller.IsAnonymous) return _sets - 1;
        bool combined = _roles.Count <= MaxCombined;
        int set = 0;
        foreach (string role in caller.RoleSpan)
        {
            // A role that the bundle does not name may still be named by a rule.
            if (!_roles.TryGetValue(role, out int index)) return -1;
            if (combined) set |= 1 << index;
            else if (set == 0) set = index + 1;
            else return -1;
        }
        return set;
    }
}

/// <summary>What a node's knowledge of revocations is worth under the rules in force.</summary>
enum RevocationKnowledge
{
    Unknown = 0,
    Old,
    Current,
}
