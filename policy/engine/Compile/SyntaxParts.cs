namespace Talos.Policy;

/// <summary>What terms and expressions are made of, one level down; what checks walk when a kind of term means nothing special to them.</summary>
static class SyntaxParts
{
    /// <summary>
    /// The terms inside a term, without a variable at the head of a reference and without what is in a comprehension: that is a body of its own.
    /// </summary>
    public static IEnumerable<Term> Of(Term term) => term switch
    {
        RefTerm r => r.Head is VarTerm ? r.Path : r.Path.Prepend(r.Head),
        ArrayTerm a => a.Items,
        SetTerm s => s.Items,
        ObjectTerm o => o.Items.SelectMany(item => (Term[])[item.Key, item.Value]),
        CallTerm c => c.Args,
        TemplateTerm t => t.Parts,
        TemplateExpression e => e.Withs.Select(w => w.Value).Prepend(e.Value),
        _ => [],
    };

    /// <summary>The terms of an expression, without the body of an <c>every</c>.</summary>
    public static IEnumerable<Term> Of(Literal literal)
    {
        IEnumerable<Term> withs = literal.Withs.Select(w => w.Value);
        return literal switch
        {
            TermLiteral t => withs.Append(t.Term),
            SomeLiteral { Member: { } member } => withs.Append(member),
            EveryLiteral e => withs.Append(e.Domain),
            _ => withs,
        };
    }

    /// <summary>The head of a comprehension: its key, where it has one, and its value.</summary>
    public static IEnumerable<Term> HeadOf(ComprehensionTerm c) => c.Key is null ? [c.Value] : [c.Key, c.Value];
}
