using System.Reflection;

namespace Talos.Conformance;

/// <summary>The Public Suffix List by its own algorithm (publicsuffix.org/list): the longest rule wins, an exception beats all.</summary>
sealed class PublicSuffixes
{
    readonly HashSet<string> _rules = [];
    readonly HashSet<string> _wildcards = [];
    readonly HashSet<string> _exceptions = [];

    PublicSuffixes(TextReader list)
    {
        while (list.ReadLine() is { } line)
        {
            line = line.Trim();
            if (line.Length == 0 || line.StartsWith("//", StringComparison.Ordinal))
                continue;
            if (line[0] == '!')
                _exceptions.Add(line[1..]);
            else if (line.StartsWith("*.", StringComparison.Ordinal))
                _wildcards.Add(line[2..]);
            else
                _rules.Add(line);
        }
    }

    public static PublicSuffixes Load()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("public_suffix_list.dat")
            ?? throw new InvalidOperationException("the public suffix list is not part of this executable");
        using var reader = new StreamReader(stream);
        return new PublicSuffixes(reader);
    }

    /// <summary>The domain is itself a public suffix; by the default rule `*`, so is every top-level domain.</summary>
    public bool Contains(string domain)
    {
        if (_exceptions.Contains(domain))
            return false;
        int dot = domain.IndexOf('.');
        return dot < 0 || _rules.Contains(domain) || _wildcards.Contains(domain[(dot + 1)..]);
    }
}
