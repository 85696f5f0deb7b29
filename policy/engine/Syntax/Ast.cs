namespace Talos.Policy;

/// <summary>A term as written. Terms are immutable; later passes make new ones.</summary>
abstract class Term(Position at)
{
    public Position At { get; } = at;
}

/// <summary>A constant; composite constants appear only after folding.</summary>
sealed class ConstantTerm(Position at, Value value) : Term(at)
{
    public Value Value { get; } = value;
}

sealed class VarTerm(Position at, string name) : Term(at)
{
    public string Name { get; } = name;

    /// <summary>Wildcards and variables of the compiler cannot be written in a module.</summary>
    public bool IsGenerated => Name[0] == '$';

    public bool IsWildcard => Name.StartsWith("$_", StringComparison.Ordinal);
}

/// <summary><c>head.a[b]</c>; names after dots are string constants.</summary>
sealed class RefTerm(Position at, Term head, Term[] path) : Term(at)
{
    public Term Head { get; } = head;
    public Term[] Path { get; } = path;

    public bool HeadIs(string name) => Head is VarTerm v && v.Name == name;

    /// <summary>Dotted form when every part is a plain name, as operators and packages are written.</summary>
    public string? DottedName
    {
        get
        {
            if (Head is not VarTerm v) return null;
            var parts = new List<string> { v.Name };
            foreach (Term part in Path)
            {
                if (part is not ConstantTerm { Value: StringValue s }) return null;
                parts.Add(s.Text);
            }
            return string.Join('.', parts);
        }
    }
}

sealed class ArrayTerm(Position at, Term[] items) : Term(at)
{
    public Term[] Items { get; } = items;
}

sealed class SetTerm(Position at, Term[] items) : Term(at)
{
    public Term[] Items { get; } = items;
}

sealed class ObjectTerm(Position at, (Term Key, Term Value)[] items) : Term(at)
{
    public (Term Key, Term Value)[] Items { get; } = items;
}

enum ComprehensionKind
{
    Array = 0,
    Set,
    Object,
}

sealed class ComprehensionTerm(Position at, ComprehensionKind kind, Term? key, Term value, Literal[] body) : Term(at)
{
    public ComprehensionKind Kind { get; } = kind;
    public Term? Key { get; } = key;
    public Term Value { get; } = value;
    public Literal[] Body { get; } = body;
}

sealed class CallTerm(Position at, Term op, Term[] args, bool infix = false) : Term(at)
{
    /// <summary>Written as an operator; no rule can take its name away.</summary>
    public bool IsInfix { get; } = infix;

    public Term Operator { get; } = op;
    public Term[] Args { get; } = args;

    public string? Name => Operator switch
    {
        VarTerm v => v.Name,
        RefTerm r => r.DottedName,
        _ => null,
    };
}

/// <summary><c>$"text {expression}"</c>: parts are string constants and expressions, each with its own <c>with</c>.</summary>
sealed class TemplateTerm(Position at, Term[] parts) : Term(at)
{
    public Term[] Parts { get; } = parts;
}

/// <summary>One expression inside a template string; undefined prints as a word instead of failing.</summary>
sealed class TemplateExpression(Position at, Term value, With[] withs) : Term(at)
{
    public Term Value { get; } = value;
    public With[] Withs { get; } = withs;
}

sealed record With(Term Target, Term Value);

/// <summary>One expression of a body.</summary>
abstract class Literal(Position at, With[] withs)
{
    public Position At { get; } = at;
    public With[] Withs { get; } = withs;
}

sealed class TermLiteral(Position at, bool negated, Term term, With[] withs) : Literal(at, withs)
{
    public bool Negated { get; } = negated;
    public Term Term { get; } = term;
}

/// <summary><c>some x, y</c>; <c>some x in xs</c> keeps its membership call.</summary>
sealed class SomeLiteral(Position at, VarTerm[] vars, CallTerm? member, With[] withs) : Literal(at, withs)
{
    public VarTerm[] Vars { get; } = vars;
    public CallTerm? Member { get; } = member;
}

sealed class EveryLiteral(Position at, VarTerm? key, VarTerm value, Term domain, Literal[] body, With[] withs) : Literal(at, withs)
{
    public VarTerm? Key { get; } = key;
    public VarTerm Value { get; } = value;
    public Term Domain { get; } = domain;
    public Literal[] Body { get; } = body;
}

enum LogicalKind
{
    Not = 0,
    And,
    Or,
}

/// <summary>What stands beside <c>and</c>, <c>or</c> or the imported <c>not</c>: one expression, or a body in braces whose variables are its own.</summary>
sealed record LogicalOperand(Literal[] Body, bool IsExplicit);

/// <summary>Holds or does not; binds nothing. Its keywords come with <c>import future.keywords</c>.</summary>
sealed class LogicalLiteral(Position at, LogicalKind kind, LogicalOperand[] operands, With[] withs) : Literal(at, withs)
{
    public LogicalKind Kind { get; } = kind;
    public LogicalOperand[] Operands { get; } = operands;
}

sealed class RuleHead(Position at, RefTerm name, Term[]? args, Term? key, Term? value)
{
    public Position At { get; } = at;
    public RefTerm Name { get; } = name;

    /// <summary>Null unless the rule is a function.</summary>
    public Term[]? Args { get; } = args;

    /// <summary>The member of a <c>contains</c> rule.</summary>
    public Term? Key { get; } = key;

    /// <summary>Null when the head gives none; the rule is true then.</summary>
    public Term? Value { get; } = value;
}

sealed class RuleNodeSyntax(Position at, int end, bool isDefault, RuleHead head, Literal[] body, RuleNodeSyntax? elseRule)
{
    public Position At { get; } = at;
    public int End { get; } = end;
    public bool IsDefault { get; } = isDefault;
    public RuleHead Head { get; } = head;
    public Literal[] Body { get; } = body;
    public RuleNodeSyntax? Else { get; } = elseRule;
    public List<Annotation> Annotations { get; } = [];
}

sealed record ImportSyntax(Position At, RefTerm Path, string? Alias)
{
    public string Name => Alias ?? (Path.Path.Length == 0 ? ((VarTerm)Path.Head).Name : ((StringValue)((ConstantTerm)Path.Path[^1]).Value).Text);
}

sealed class ModuleSyntax(SourceText source, RefTerm package, ImportSyntax[] imports, RuleNodeSyntax[] rules)
{
    public SourceText Source { get; } = source;

    /// <summary><c>data.a.b</c>.</summary>
    public RefTerm Package { get; } = package;

    public ImportSyntax[] Imports { get; } = imports;
    public RuleNodeSyntax[] Rules { get; } = rules;
    public List<Annotation> Annotations { get; } = [];

    public IEnumerable<string> PackagePath => Package.Path.Select(p => ((StringValue)((ConstantTerm)p).Value).Text);
}

/// <summary>A <c># METADATA</c> block, as the document that rules see.</summary>
sealed record Annotation(Position At, string Scope, ObjectValue Document);
