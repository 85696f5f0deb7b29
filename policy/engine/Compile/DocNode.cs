namespace Talos.Policy;

enum RuleKind
{
    Complete = 0,
    PartialObject,
    PartialSet,
    Function,
}

/// <summary>One rule below <c>data</c>, resolved; its compiled form is made when all modules are known.</summary>
sealed class RuleDefinition(RuleNodeSyntax syntax, ModuleSyntax module, RuleKind kind, Term[] dynamicPath)
{
    public RuleNodeSyntax Syntax { get; } = syntax;
    public ModuleSyntax Module { get; } = module;
    public RuleKind Kind { get; } = kind;

    /// <summary>What follows the ground prefix in the head: <c>[x].y</c> of <c>p[x].y</c>.</summary>
    public Term[] DynamicPath { get; } = dynamicPath;

    public bool IsDefault => Syntax.IsDefault;
    public CompiledRule? Compiled { get; set; }
    public HashSet<DocNode> DependsOn { get; } = [];
    public DocNode? Node { get; set; }
}

/// <summary>One place in the tree of packages and rules.</summary>
sealed class DocNode(Value? key, DocNode? parent)
{
    public Value? Key { get; } = key;
    public DocNode? Parent { get; } = parent;
    public Dictionary<Value, DocNode> Children { get; } = [];
    public List<RuleDefinition> Rules { get; } = [];

    /// <summary>Its number among those with rules.</summary>
    public int Id { get; set; }

    public NodeRules? Compiled { get; set; }

    public bool HasRules => Rules.Count > 0;
    public bool IsFunction => HasRules && Rules[0].Kind == RuleKind.Function;

    public DocNode Child(Value key)
    {
        if (!Children.TryGetValue(key, out DocNode? child)) Children.Add(key, child = new DocNode(key, this));
        return child;
    }

    public IEnumerable<DocNode> Subtree
    {
        get
        {
            yield return this;
            foreach (DocNode child in Children.Values)
                foreach (DocNode below in child.Subtree) yield return below;
        }
    }

    public IReadOnlyList<Value> Path
    {
        get
        {
            var path = new List<Value>();
            for (DocNode n = this; n.Parent is not null; n = n.Parent) path.Add(n.Key!);
            path.Reverse();
            return path;
        }
    }

    /// <summary><c>data.a.b["c d"]</c>.</summary>
    public override string ToString() => ValueText.Reference("data", Path);
}
