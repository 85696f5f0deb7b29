namespace Talos.Policy;

/// <summary>Finds calls of what is no function, and calls with another number of arguments than the function takes; before anyone asks what is bound.</summary>
sealed class CallChecker(CompilerContext context)
{
    public static void Check(CompilerContext context, DocNode[] nodes)
    {
        var checker = new CallChecker(context);
        foreach (DocNode node in nodes)
        {
            foreach (RuleDefinition rule in node.Rules)
            {
                foreach (Term term in rule.DynamicPath) checker.Visit(term);
                for (RuleNodeSyntax? part = rule.Syntax; part is not null; part = part.Else)
                {
                    foreach (Term? term in (Term?[])[part.Head.Key, part.Head.Value])
                        if (term is not null) checker.Visit(term);
                    checker.Visit(part.Body);
                }
            }
        }
    }

    public static void Check(CompilerContext context, Literal[] body) => new CallChecker(context).Visit(body);

    void Visit(Literal[] body)
    {
        foreach (Literal literal in body) Visit(literal);
    }

    void Visit(Literal literal)
    {
        CallTerm? statement = (literal as TermLiteral)?.Term as CallTerm;
        foreach (Term term in SyntaxParts.Of(literal))
        {
            if (term == statement)
            {
                // A statement may take one argument more: the pattern of the result.
                if (!context.CapturesResult(statement)) Call(statement, literal.At);
                foreach (Term arg in statement.Args) Visit(arg);
            }
            else if (context.FindFunction(term) is null) Visit(term);
        }
        if (literal is EveryLiteral every) Visit(every.Body);
        if (literal is LogicalLiteral logical)
            foreach (LogicalOperand operand in logical.Operands) Visit(operand.Body);
    }

    void Visit(Term term)
    {
        if (term is CallTerm call) Call(call, call.At);
        if (term is ComprehensionTerm comprehension)
        {
            foreach (Term part in SyntaxParts.HeadOf(comprehension)) Visit(part);
            Visit(comprehension.Body);
        }
        foreach (Term part in SyntaxParts.Of(term)) Visit(part);
    }

    void Call(CallTerm call, Position at)
    {
        string name = context.FindFunction(call.Operator)?.ToString() ?? call.Name ?? "";
        if (context.Arity(call) is not { } arity)
            context.Errors.Add(at.Error("rego_type_error", $"undefined function `{name}`", name.StartsWith("data.", StringComparison.Ordinal) ? "no rule with arguments has this name" : null));
        else if (arity >= 0 && call.Args.Length != arity)
            context.Errors.Add(at.Error("rego_type_error", $"{name}: arity mismatch", $"it takes {arity} arguments, not {call.Args.Length}"));
    }
}
