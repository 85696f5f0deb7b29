using Talos.Checks.Probes;
using Talos.Checks.Yaml;

namespace Talos.Checks.Rules;

/// <summary>
/// Reads a rule: a line `probe argument… operator [operand]`, or a mapping with one of `any`, `all`, `not`. Every error has its place.
/// </summary>
sealed class RuleParser(string file, List<SourceError> errors)
{
    public Rule? Parse(YamlNode node) => node switch
    {
        YamlScalar line => ParseLine(line),
        YamlMap { Entries: [var entry] } => ParseCombination(entry),
        _ => Refuse(node, "a rule is one line, or a mapping with one of `any`, `all`, `not`"),
    };

    Rule? ParseCombination(YamlEntry entry)
    {
        if (entry.Key.Value == "not") return Parse(entry.Value) is { } part ? new NotRule(part) : null;
        if (entry.Key.Value is not ("any" or "all"))
            return Refuse(entry.Key, $"unknown combination `{entry.Key.Value}`", "combinations are any, all, not");
        if (entry.Value is not YamlList { Items.Count: >= 2 } list)
            return Refuse(entry.Value, $"`{entry.Key.Value}` takes a list of two rules or more");
        var parts = list.Items.Select(Parse).ToArray();
        if (Array.Exists(parts, p => p is null)) return null;
        return entry.Key.Value == "any" ? new AnyRule(parts!) : new AllRule(parts!);
    }

    FactRule? ParseLine(YamlScalar line)
    {
        var tokens = RuleText.Split(line.Value, out var openQuote);
        if (tokens is null) return Refuse(line, openQuote, "a quote is not closed");
        if (tokens.Count == 0) return Refuse(line, 0, "the rule is empty");
        var position = 0;
        if (TakeProbe(line, tokens, ref position) is not { } source) return null;
        if (position == tokens.Count)
            return Refuse(line, tokens[^1].Column, $"`{source.Probe.Name}` needs an operator", $"operators here are {Operators.For(source.Probe.Shape)}");
        var opToken = tokens[position++];
        if (!Operators.TryGet(opToken.Text, out var op, out var takesOperand) || !Operators.Suits(op, source.Probe.Shape))
            return Refuse(line, opToken.Column, $"`{opToken.Text}` is no operator for `{source.Probe.Name}`",
                $"operators here are {Operators.For(source.Probe.Shape)}");
        if (op == Operator.IsValueOf) return ParseOther(line, tokens, position, source);
        if (takesOperand && position == tokens.Count) return Refuse(line, opToken.Column, $"`{opToken.Text}` needs a value");
        var operand = takesOperand ? tokens[position++] : default;
        if (position < tokens.Count)
            return Refuse(line, tokens[position].Column, $"`{tokens[position].Text}` is too much", "put a value with blanks in double quotes");
        var expectation = new Expectation(op, operand.Text ?? "");
        return expectation.OperandError(source.Probe.Shape) is { } wrong
            ? Refuse(line, operand.Column, wrong)
            : new FactRule(source.Probe, source.Arguments, expectation, null);
    }

    FactRule? ParseOther(YamlScalar line, IReadOnlyList<Token> tokens, int position, OtherValue source)
    {
        if (position == tokens.Count) return Refuse(line, tokens[^1].Column, "`is-value-of` needs a probe");
        if (TakeProbe(line, tokens, ref position) is not { } other) return null;
        return position == tokens.Count
            ? new FactRule(source.Probe, source.Arguments, new(Operator.IsValueOf, ""), other)
            : Refuse(line, tokens[position].Column, $"`{tokens[position].Text}` is too much");
    }

    OtherValue? TakeProbe(YamlScalar line, IReadOnlyList<Token> tokens, ref int position)
    {
        var name = tokens[position++];
        if (ProbeTable.Find(name.Text) is not { } probe)
        {
            Refuse(line, name.Column, $"unknown probe `{name.Text}`", $"probes are {ProbeTable.Names}");
            return null;
        }
        if (tokens.Count - position < probe.Arguments)
        {
            Refuse(line, name.Column, $"`{name.Text}` takes {probe.Arguments} arguments", $"usage: {probe.Usage}");
            return null;
        }
        var arguments = new string[probe.Arguments];
        for (var i = 0; i < arguments.Length; i++)
        {
            var argument = tokens[position++];
            if (i == 0 && probe.Choices.Length > 0 && !probe.Choices.Contains(argument.Text))
            {
                Refuse(line, argument.Column, $"`{probe.Name}` does not know `{argument.Text}`", $"it knows {string.Join(", ", probe.Choices)}");
                return null;
            }
            arguments[i] = argument.Text;
        }
        if (probe.Name == "line" && Expectation.PatternError(arguments[1]) is { } wrong)
        {
            Refuse(line, tokens[position - 1].Column, wrong);
            return null;
        }
        return new(probe, arguments);
    }

    Rule? Refuse(YamlNode node, string message, string? hint = null)
    {
        errors.Add(new(file, node.Line, node.Column, message, hint));
        return null;
    }

    // A block scalar's text does not keep its columns; the place is then where the scalar begins.
    FactRule? Refuse(YamlScalar line, int offset, string message, string? hint = null)
    {
        var column = line.Inline ? line.Column + offset + (line.Plain ? 0 : 1) : line.Column;
        errors.Add(new(file, line.Line, column, message, hint));
        return null;
    }
}
