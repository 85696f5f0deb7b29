namespace Talos.Policy;

/// <summary>The declared variables of one body, inside those around it.</summary>
sealed class Scope(Scope? parent)
{
    readonly Dictionary<string, Variable> _declared = new(StringComparer.Ordinal);

    /// <summary>The arguments of the function whose body this is; they cannot be declared again in it.</summary>
    public Scope? Args { get; init; }

    /// <summary>Names used in this body before any declaration of them.</summary>
    public HashSet<string> Seen { get; } = new(StringComparer.Ordinal);

    /// <summary>Names that the body declares somewhere; they mean no rule and no import anywhere in it.</summary>
    public IReadOnlySet<string> Declares { get; init; } = Nothing;

    static readonly HashSet<string> Nothing = [];

    public bool IsDeclaredSomewhere(string name)
    {
        for (Scope? s = this; s is not null; s = s.Parent)
            if (s.Declares.Contains(name)) return true;
        return false;
    }

    /// <param name="unique">The name that the compiler gives it.</param>
    /// <param name="at">The statement that declares it.</param>
    /// <param name="byAssignment">Whether by <c>:=</c>.</param>
    public sealed class Variable(string unique, Position at, bool byAssignment)
    {
        public string Unique { get; } = unique;
        public Position At { get; } = at;
        public bool ByAssignment { get; } = byAssignment;
        public bool Used { get; set; }
    }

    public Variable? FindHere(string name) => _declared.GetValueOrDefault(name);

    public Variable? Find(string name)
    {
        for (Scope? s = this; s is not null; s = s.Parent)
            if (s._declared.TryGetValue(name, out Variable? variable)) return variable;
        return null;
    }

    public void Declare(string name, Variable variable) => _declared[name] = variable;

    public IEnumerable<KeyValuePair<string, Variable>> Declared => _declared;

    Scope? Parent { get; } = parent;
}
