using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Talos.Policy;

/// <summary>
/// `strings.render_template`: Go's text/template over JSON. Fields, variables, pipelines, if, range with break and continue, with, define,
/// template, block, and the predefined functions but `call`, since JSON holds no functions.
/// </summary>
static partial class TemplateBuiltins
{
    // LIMIT: size of what a template makes.
    const int MaxOutput = 4 << 20;

    public static IEnumerable<Builtin> All =>
    [
        Builtin.Of("strings.render_template", (t, v) =>
        {
            string text = Operand.Text(t, 1);
            return Value.From(new Template(text).Render(Operand.Object(v, 2)));
        }),
    ];

    abstract record Node;
    sealed record TextNode(string Text) : Node;
    sealed record OutputNode(string Pipeline) : Node;
    sealed record AssignNode(string Name, bool Declares, string Pipeline) : Node;
    sealed record TemplateNode(string Name, string Pipeline) : Node;
    sealed record FlowNode(Flow Flow) : Node;
    sealed record BlockNode(string Kind, string[] Names, string Pipeline, List<Node> Body, List<Node> Else) : Node;

    // How a list of nodes ended.
    enum Flow { Normal, Break, Continue }

    internal static string Show(Value? value) => Template.Show(value);

    sealed class Template
    {
        // LIMIT: templates that call themselves.
        const int MaxDepth = 100;

        // LIMIT: rounds of all ranges together; `range 1000000000` makes no output.
        const int MaxRounds = 1_000_000;

        // What Go calls a space here.
        static readonly char[] Space = [' ', '\t', '\r', '\n'];

        int _rounds;

        readonly Dictionary<string, List<Node>> _named = new(StringComparer.Ordinal);
        int _ranges;
        readonly List<(bool IsAction, string Text)> _tokens = [];
        readonly List<Node> _nodes;
        int _at;

        public Template(string text)
        {
            int from = 0;
            foreach (Match m in ActionPattern().Matches(text))
            {
                string before = text[from..m.Index];
                if (m.Groups[1].Success) before = before.TrimEnd(Space);
                if (_tokens.Count > 0 && _trimNext) before = before.TrimStart(Space);
                _tokens.Add((false, before));
                _tokens.Add((true, m.Groups[2].Value.Trim()));
                _trimNext = m.Groups[3].Success;
                from = m.Index + m.Length;
            }
            string rest = text[from..];
            if (rest.Contains("{{", StringComparison.Ordinal)) throw new BuiltinException("template: unclosed action");
            _tokens.Add((false, _trimNext ? rest.TrimStart(Space) : rest));
            _nodes = List(0, out string? end);
            if (end is not null) throw new BuiltinException($"template: unexpected {{{{{end}}}}}");
        }

        readonly bool _trimNext;

        List<Node> List(int depth, out string? end)
        {
            if (depth > 50) throw new BuiltinException("template: blocks nest too deeply");
            var nodes = new List<Node>();
            while (_at < _tokens.Count)
            {
                (bool isAction, string text) = _tokens[_at++];
                if (!isAction)
                {
                    nodes.Add(new TextNode(text));
                    continue;
                }
                if (text.StartsWith("/*", StringComparison.Ordinal)) continue;
                string word = text.Split(' ', 2)[0], rest = text.Length > word.Length ? text[word.Length..].Trim() : "";
                switch (word)
                {
                    case "end" or "else":
                        end = text;
                        return nodes;
                    case "if" or "with":
                        nodes.Add(Block(word, rest, depth));
                        break;
                    case "range":
                        _ranges++;
                        nodes.Add(Block(word, rest, depth));
                        _ranges--;
                        break;
                    case "break" or "continue":
                        if (_ranges == 0) throw new BuiltinException($"template: {{{{{word}}}}} outside {{{{range}}}}");
                        nodes.Add(new FlowNode(word == "break" ? Flow.Break : Flow.Continue));
                        break;
                    case "define" or "block" or "template":
                        (string name, string pipeline) = NameOf(word, rest);
                        if (word != "template") Define(name, depth);
                        if (word != "define") nodes.Add(new TemplateNode(name, pipeline));
                        break;
                    default:
                        Match assign = AssignPattern().Match(text);
                        nodes.Add(!assign.Success ? new OutputNode(text)
                            : new AssignNode(assign.Groups[1].Value, assign.Groups[2].Value == ":=", assign.Groups[3].Value));
                        break;
                }
            }
            end = null;
            return nodes;
        }

        static (string Name, string Pipeline) NameOf(string word, string rest)
        {
            Match m = QuotedPattern().Match(rest);
            if (!m.Success) throw new BuiltinException($"template: missing name in {{{{{word}}}}}");
            string name = m.Value[0] == '"' && ValueJson.Parse(m.Value) is StringValue s ? s.Text : m.Value[1..^1];
            string pipeline = rest[m.Length..].Trim();
            if (word == "define" && pipeline.Length > 0) throw new BuiltinException($"template: unexpected \"{pipeline}\" in define clause");
            if (word == "block" && pipeline.Length == 0) throw new BuiltinException("template: missing value for block clause");
            return (name, pipeline);
        }

        // A template's body is in no range of the one that defines it.
        void Define(string name, int depth)
        {
            int ranges = _ranges;
            _ranges = 0;
            List<Node> body = List(depth + 1, out string? end);
            _ranges = ranges;
            if (end != "end") throw new BuiltinException(end is null ? "template: unexpected EOF" : $"template: unexpected {{{{{end}}}}}");
            _named[name] = body;
        }

        BlockNode Block(string kind, string header, int depth)
        {
            Match names = NamesPattern().Match(header);
            string pipeline = names.Success ? header[names.Length..].Trim() : header;
            List<Node> body = List(depth + 1, out string? end), otherwise = [];
            if (end is not null && end.StartsWith("else", StringComparison.Ordinal))
            {
                string more = end[4..].Trim();
                if (more.StartsWith("if ", StringComparison.Ordinal)) return new BlockNode(kind, Names(names), pipeline, body, [Block("if", more[3..].Trim(), depth + 1)]);
                if (more.StartsWith("with ", StringComparison.Ordinal)) return new BlockNode(kind, Names(names), pipeline, body, [Block("with", more[5..].Trim(), depth + 1)]);
                otherwise = List(depth + 1, out end);
            }
            if (end != "end") throw new BuiltinException("template: unexpected EOF");
            return new BlockNode(kind, Names(names), pipeline, body, otherwise);
        }

        static string[] Names(Match m) => m.Success ? [.. m.Groups[1].Value.Split(',').Select(n => n.Trim())] : [];

        public string Render(Value document)
        {
            Value vars = AsGoSees(document);
            var output = new StringBuilder();
            Run(_nodes, vars, new Dictionary<string, TemplateVariable>(StringComparer.Ordinal) { ["$"] = new(vars) }, output, 0);
            return output.ToString();
        }

        // OPA decodes the document with numbers as json.Number, a kind of string to a template: "0" is true, 10 comes before 9, and neither is equal to a number
        // of the template.
        static Value AsGoSees(Value value) => value switch
        {
            NumberValue => Value.From(value.ToString()),
            ArrayValue a => new ArrayValue([.. a.Items.Select(AsGoSees)]),
            SetValue s => new ArrayValue([.. s.Members.Sorted.Select(AsGoSees)]),
            ObjectValue o => ObjectValue.From([.. o.Pairs.Select(p => new KeyValuePair<Value, Value>(p.Key, AsGoSees(p.Value)))]),
            _ => value,
        };

        void RunNamed(TemplateNode call, Value? dot, Dictionary<string, TemplateVariable> scope, StringBuilder output, int depth)
        {
            if (depth >= MaxDepth) throw new BuiltinException("template: exceeded maximum template depth");
            if (!_named.TryGetValue(call.Name, out List<Node>? body)) throw new BuiltinException($"template: template \"{call.Name}\" not defined");
            Value? value = call.Pipeline.Length == 0 ? NullValue.Instance : TemplatePipeline.Eval(call.Pipeline, dot, scope);
            Run(body, value, new Dictionary<string, TemplateVariable>(StringComparer.Ordinal) { ["$"] = new(value) }, output, depth + 1);
        }

        Flow Run(List<Node> nodes, Value? dot, Dictionary<string, TemplateVariable> scope, StringBuilder output, int depth)
        {
            foreach (Node node in nodes)
            {
                if (output.Length > MaxOutput) throw Evaluation.Limit("template");
                switch (node)
                {
                    case TextNode t:
                        output.Append(t.Text);
                        break;
                    case OutputNode o:
                        // What is nothing in the end has no value; inside a list or for `print` it is nil.
                        output.Append(TemplatePipeline.Eval(o.Pipeline, dot, scope) is { } shown and not NullValue ? Show(shown) : "<undefined>");
                        break;
                    case AssignNode a:
                        Value? assigned = TemplatePipeline.Eval(a.Pipeline, dot, scope);
                        if (a.Declares) scope[a.Name] = new(assigned);
                        else if (scope.TryGetValue(a.Name, out TemplateVariable? variable)) variable.Value = assigned;
                        else throw new BuiltinException($"template: undefined variable \"{a.Name}\"");
                        break;
                    case BlockNode b:
                        if (RunBlock(b, dot, scope, output, depth) is not Flow.Normal and var flow) return flow;
                        break;
                    case TemplateNode t:
                        RunNamed(t, dot, scope, output, depth);
                        break;
                    case FlowNode f:
                        return f.Flow;
                }
            }
            return Flow.Normal;
        }

        Flow RunBlock(BlockNode b, Value? dot, Dictionary<string, TemplateVariable> scope, StringBuilder output, int depth)
        {
            Value? value = TemplatePipeline.Eval(b.Pipeline, dot, scope);
            if (b.Kind != "range")
            {
                bool holds = TemplatePipeline.IsTrue(value);
                var inner = new Dictionary<string, TemplateVariable>(scope, StringComparer.Ordinal);
                if (b.Names.Length > 0) inner[b.Names[0]] = new(value);
                return Run(holds ? b.Body : b.Else, holds && b.Kind == "with" ? value : dot, inner, output, depth);
            }
            (Value Key, Value Item)[] items = value switch
            {
                ArrayValue a => [.. a.Items.Select((x, i) => (Value.From(i), x))],
                SetValue s => [.. s.Members.Sorted.Select((x, i) => (Value.From(i), x))],
                ObjectValue o => [.. o.Pairs.Select(p => (p.Key, p.Value))],
                null or NullValue => [],
                NumberValue n when n.TryGetInt32(out int rounds) => Counted(rounds, b.Names.Length),
                _ => throw new BuiltinException($"template: range can't iterate over {value}"),
            };
            if (items.Length == 0) return Run(b.Else, dot, new(scope, StringComparer.Ordinal), output, depth);
            foreach ((Value key, Value item) in items)
            {
                var inner = new Dictionary<string, TemplateVariable>(scope, StringComparer.Ordinal);
                if (++_rounds > MaxRounds) throw Evaluation.Limit("template");
                if (b.Names.Length == 1) inner[b.Names[0]] = new(item);
                if (b.Names.Length == 2) (inner[b.Names[0]], inner[b.Names[1]]) = (new(key), new(item));
                if (Run(b.Body, item, inner, output, depth) == Flow.Break) break;
            }
            return Flow.Normal;
        }

        // Go 1.22: a number ranges over what is below it.
        static (Value, Value)[] Counted(int rounds, int names)
        {
            if (names > 1) throw new BuiltinException($"template: can't use {rounds} to iterate over more than one variable");
            if (rounds > MaxRounds) throw Evaluation.Limit("template");
            var items = new (Value, Value)[Math.Max(rounds, 0)];
            for (int i = 0; i < items.Length; i++) items[i] = (Value.From(i), Value.From(i));
            return items;
        }

        /// <summary>As Go prints with %v.</summary>
        public static string Show(Value? value) => value switch
        {
            null or NullValue => "<nil>",
            StringValue s => s.Text,
            ArrayValue a => "[" + string.Join(' ', a.Items.Select(Show)) + "]",
            SetValue s => "[" + string.Join(' ', s.Members.Sorted.Select(Show)) + "]",
            ObjectValue o => "map[" + string.Join(' ', o.Pairs.Select(p => Show(p.Key) + ":" + Show(p.Value))) + "]",
            _ => value.ToString(),
        };
    }

    [GeneratedRegex(@"\{\{(-\s)?((?:""(?:\\.|[^""\\])*""|`[^`]*`|/\*.*?\*/|[^}`""]|\}(?!\}))*?)(\s-)?\}\}", RegexOptions.Singleline)]
    private static partial Regex ActionPattern();

    [GeneratedRegex(@"\A(\$\w+)\s*(:?=)\s*(.*)\z", RegexOptions.Singleline)]
    private static partial Regex AssignPattern();

    [GeneratedRegex(@"\A(?:""(?:\\.|[^""\\])*""|`[^`]*`)")]
    private static partial Regex QuotedPattern();

    [GeneratedRegex(@"\A(\$\w+(?:\s*,\s*\$\w+)?)\s*:=")]
    private static partial Regex NamesPattern();
}

/// <summary>A variable of a template; `=` changes it in the block that declared it.</summary>
sealed class TemplateVariable(Value? value)
{
    public Value? Value { get; set; } = value;
}

/// <summary>One pipeline of a template: operands, functions, `|`.</summary>
static partial class TemplatePipeline
{
    public static Value? Eval(string text, Value? dot, Dictionary<string, TemplateVariable> scope)
    {
        string[] tokens = [.. TokenPattern().Matches(text).Select(m => m.Value)];
        int at = 0;
        Value? value = Pipeline(tokens, ref at, dot, scope, 0);
        return at == tokens.Length ? value : throw new BuiltinException($"template: unexpected \"{tokens[at]}\" in operand");
    }

    public static bool IsTrue(Value? value) => value switch
    {
        null or NullValue => false,
        BooleanValue => !value.IsFalse,
        NumberValue n => n.Sign != 0,
        StringValue s => s.Text.Length > 0,
        ArrayValue a => a.Items.Length > 0,
        ObjectValue o => o.Count > 0,
        SetValue s => s.Count > 0,
        _ => true,
    };

    static Value? Pipeline(string[] tokens, ref int at, Value? dot, Dictionary<string, TemplateVariable> scope, int depth)
    {
        if (depth > 50) throw new BuiltinException("template: parentheses nest too deeply");
        Value? piped = null;
        bool hasPiped = false;
        while (true)
        {
            string? function = null;
            var operands = new List<Value?>();
            bool first = true;
            while (at < tokens.Length && tokens[at] is not ("|" or ")"))
            {
                string token = tokens[at];
                if (token == "(")
                {
                    at++;
                    operands.Add(Pipeline(tokens, ref at, dot, scope, depth + 1));
                    if (at >= tokens.Length) throw new BuiltinException("template: unclosed left paren");
                    at++;
                }
                else if (first && char.IsAsciiLetter(token[0]) && token is not ("true" or "false" or "nil"))
                {
                    function = token;
                    at++;
                }
                else
                {
                    operands.Add(One(token, dot, scope));
                    at++;
                }
                first = false;
            }
            if (hasPiped) operands.Add(piped);
            if (function is null && operands.Count == 0) throw new BuiltinException("template: missing value for command");
            piped = function is null ? operands[0] : Call(function, operands);
            hasPiped = true;
            if (at >= tokens.Length || tokens[at] == ")") return piped;
            at++;
        }
    }

    static Value? One(string token, Value? dot, Dictionary<string, TemplateVariable> scope)
    {
        switch (token[0])
        {
            case '"': return ValueJson.Parse(token);
            case '`': return Value.From(token[1..^1]);
            case '.': return Path(dot, token);
            case '$':
                int end = token.IndexOf('.', StringComparison.Ordinal);
                string name = end < 0 ? token : token[..end];
                if (!scope.TryGetValue(name, out TemplateVariable? variable)) throw new BuiltinException($"template: undefined variable \"{name}\"");
                return end < 0 ? variable.Value : Path(variable.Value, token[end..]);
        }
        return token switch
        {
            "true" => BooleanValue.True,
            "false" => BooleanValue.False,
            "nil" => NullValue.Instance,
            _ => NumberValue.Parse(token) ?? throw new BuiltinException($"template: function \"{token}\" not defined"),
        };
    }

    static Value? Path(Value? value, string path)
    {
        foreach (string name in path.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            // What a missing key would have is missing, too.
            if (value is null) return null;
            if (value is not ObjectValue o) throw new BuiltinException($"template: can't evaluate field {name} in type interface {{}}");
            value = o.Find(name);
        }
        return value;
    }

    static Value? Call(string name, List<Value?> args)
    {
        Value Arg(int i) => i < args.Count ? args[i] ?? NullValue.Instance : throw new BuiltinException($"template: wrong number of args for {name}");
        switch (name)
        {
            case "eq": return Value.From(args.Count > 1 ? args.Skip(1).Any(a => AreEqual(name, Arg(0), a ?? NullValue.Instance)) : AreEqual(name, Arg(0), Arg(1)));
            case "ne": return Value.From(!AreEqual(name, Arg(0), Arg(1)));
            case "lt": return Value.From(Order(name, Arg(0), Arg(1)) < 0);
            case "le": return Value.From(Order(name, Arg(0), Arg(1)) <= 0);
            case "gt": return Value.From(Order(name, Arg(0), Arg(1)) > 0);
            case "ge": return Value.From(Order(name, Arg(0), Arg(1)) >= 0);
            case "not": return Value.From(!IsTrue(Arg(0)));
            case "and": return args.FirstOrDefault(a => !IsTrue(a), args[^1]);
            case "or": return args.FirstOrDefault(IsTrue, args[^1]);
            case "len":
                return NumberValue.From(Arg(0) switch
                {
                    StringValue s => Encoding.UTF8.GetByteCount(s.Text),
                    ArrayValue a => a.Items.Length,
                    ObjectValue o => o.Count,
                    Value other => throw new BuiltinException($"template: error calling len: len of type {other.TypeName}"),
                });
            case "index": return args.Skip(1).Aggregate(Arg(0), (v, k) => Index(v, k ?? NullValue.Instance));
            case "printf":
                Value[] printed = [.. args.Skip(1).Select(a => a is ArrayValue or ObjectValue ? Value.From(TemplateBuiltins.Show(a)) : a ?? NullValue.Instance)];
                return Value.From(GoFormat.Format(Operand.Text(Arg(0), 1), printed));
            case "print": return Value.From(Joined(args));
            case "println": return Value.From(string.Join(' ', args.Select(TemplateBuiltins.Show)) + "\n");
            case "html": return Value.From(Escape(Joined(args), c => c switch { '"' => "&#34;", '\'' => "&#39;", '&' => "&amp;", '<' => "&lt;", '>' => "&gt;", '\0' => "\uFFFD", _ => null }));
            case "js":
                return Value.From(Escape(Joined(args), c => c switch
                {
                    '\\' => @"\\",
                    '\'' => @"\'",
                    '"' => @"\""",
                    '<' => @"\u003C",
                    '>' => @"\u003E",
                    '&' => @"\u0026",
                    '=' => @"\u003D",
                    < ' ' => $"\\u{(int)c:X4}",
                    _ => null,
                }));
            case "slice": return Slice(args);
            case "urlquery": return Value.From(EncodingBuiltins.UrlEncode(Joined(args)));
            default: throw new BuiltinException($"template: function \"{name}\" not defined");
        }
    }

    // Go's basic kinds: whole numbers and floats are two.
    static (ValueKind, bool) KindOf(Value value) => (value.Kind, value is NumberValue { IsInteger: true });

    static bool AreEqual(string function, Value a, Value b)
    {
        if (a is NullValue || b is NullValue) return a is NullValue && b is NullValue;
        if (KindOf(a) != KindOf(b)) throw new BuiltinException($"template: error calling {function}: incompatible types for comparison");
        if (a is ArrayValue or ObjectValue) throw new BuiltinException($"template: error calling {function}: non-comparable types {a}, {b}");
        return a.Equals(b);
    }

    static int Order(string function, Value a, Value b)
    {
        if (a is not (StringValue or NumberValue)) throw new BuiltinException($"template: error calling {function}: invalid type for comparison");
        if (KindOf(a) != KindOf(b)) throw new BuiltinException($"template: error calling {function}: incompatible types for comparison");
        return Value.Compare(a, b);
    }

    // fmt.Sprint: a space stands between two operands of which neither is a string.
    static string Joined(List<Value?> args)
    {
        var text = new StringBuilder();
        for (int i = 0; i < args.Count; i++)
        {
            if (i > 0 && args[i - 1] is not StringValue && args[i] is not StringValue) text.Append(' ');
            text.Append(TemplateBuiltins.Show(args[i]));
        }
        return text.ToString();
    }

    static Value Index(Value value, Value key)
    {
        switch (value)
        {
            case ObjectValue o when key is StringValue:
                return o.Get(key) ?? NullValue.Instance;
            case ArrayValue a when key is NumberValue:
                return a.Get(key) ?? throw new BuiltinException($"template: error calling index: index out of range: {key}");
            case StringValue s when key is NumberValue n && n.TryGetInt32(out int at):
                byte[] bytes = Encoding.UTF8.GetBytes(s.Text);
                if (at < 0 || at >= bytes.Length) throw new BuiltinException($"template: error calling index: index out of range: {at}");
                return NumberValue.From((long)bytes[at]);
            default:
                throw new BuiltinException($"template: error calling index: can't index item of type {value.TypeName} with {key.TypeName}");
        }
    }

    static string Escape(string text, Func<char, string?> replace)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (char c in text)
        {
            if (replace(c) is { } other) escaped.Append(other);
            else escaped.Append(c);
        }
        return escaped.ToString();
    }

    // `slice x i j`: x[i:j], of an array by items, of a string by bytes.
    static Value Slice(List<Value?> args)
    {
        if (args.Count is 0 or > 3) throw new BuiltinException("template: wrong number of args for slice");
        int Bound(int i, int length) => i >= args.Count ? (i == 1 ? 0 : length)
            : args[i] is NumberValue n && int.TryParse(n.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out int index) && index <= length ? index
            : throw new BuiltinException($"template: error calling slice: index out of range: {args[i]}");
        switch (args[0])
        {
            case ArrayValue a:
                (int from, int to) = (Bound(1, a.Items.Length), Bound(2, a.Items.Length));
                return from <= to ? new ArrayValue([.. a.Items[from..to]]) : throw new BuiltinException($"template: error calling slice: invalid slice index: {from} > {to}");
            case StringValue s:
                byte[] bytes = Encoding.UTF8.GetBytes(s.Text);
                (int start, int end) = (Bound(1, bytes.Length), Bound(2, bytes.Length));
                return start <= end ? Value.From(Encoding.UTF8.GetString(bytes[start..end])) : throw new BuiltinException($"template: error calling slice: invalid slice index: {start} > {end}");
            default:
                throw new BuiltinException($"template: error calling slice: can't slice item of type {args[0]?.ToString() ?? "nil"}");
        }
    }

    [GeneratedRegex(@"""(?:\\.|[^""\\])*""|`[^`]*`|[()|]|[^\s()|""`]+")]
    private static partial Regex TokenPattern();
}
