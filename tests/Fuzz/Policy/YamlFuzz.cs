using System.Globalization;
using Talos.Api.Configuration;
using Talos.Policy;

namespace Talos.Fuzz;

/// <summary>
/// Damages documents of both readers of YAML: policy data with the values that policy reads beside it, and the configurations of trustd, osd and the
/// machine. Each must give a value or errors, never another exception; and what a configuration was read as must be read again from what it writes.
/// </summary>
static class YamlFuzz
{
    static readonly string[] Pieces =
    [
        "\n", "\r\n", "\t", " ", "  ", "- ", ": ", "? ", "{", "}", "[", "]", ",", "#", " #", "'", "\"", "|", ">", "|+2", "|-\n", ">-\n ", "&a ", "*a", "!", "!!str ", "!!binary ", "%YAML 1.2\n", "%TAG ! x\n", "---\n",
        "...\n", "<<: ", "~", "null", "yes", "0x", "0xffffffffffffffffff", "0o9", "0o7777777777777777777", "1e999999999", "-.inf", ".nan", "+", "-", "1_000", "2001-12-14", "\\x", "\\u", "\"\\U00110000\"", "\"\\ud800\"", "\0",
        "\uFEFF", "\u0085", "\u2028", "\uD800", "é", "\u007f", "[[[[[[[[[[[[[[[[[[[[", "{a: {b: {c: {d: {", "- - - - - - - - - - ", "? ? ? ? ", "a: a: a",
    ];

    static readonly string[] Documents =
    [
        "profiles:\n  node: {lifetime: 24h}\n  user: {lifetime: 8h, renew_within: 168h}\nways:\n  token:\n    kinds: [node, \"user\"]\n    fresh: 10m\n    unbound: true\n",
        "a: &x [1, 2.5, 0x1f, 0o17, -3, 1e3, ~, yes, 'it''s', \"\\t\\u00e9\\n\"]\nb: *x\nc:\n  <<: {d: 1}\n  e: |\n    two\n    lines\n  f: >-\n    folded\n    text\n? [complex, key]\n: value\n",
        "--- # a document\n- one\n- two: 2\n  three: 2001-12-14\n-\n  - nested\n  - {}\n  - []\n...\n",
        "cluster: demo\nnode: cp-1\nlisten: 10.0.0.10:50001\nstate: /state/trustd\npolicy: /usr/share/talos/policy\nlabels:\n  rack: \"4\"\nsans:\n  - 10.0.0.10\nlimits:\n  person:\n    perMinute: 600\n    burst: 600\n",
    ];

    public static int Run(string[] args)
    {
        int cases = args is [var count, ..] ? int.Parse(count, CultureInfo.InvariantCulture) : 300_000;
        int seed = args is [_, var from, ..] ? int.Parse(from, CultureInfo.InvariantCulture) : 1;
        (int read, int refused) = Run(cases, seed);
        Console.WriteLine($"{cases} documents from seed {seed}: policy read {read} and refused {refused}; configurations gave a value or errors; no exception");
        return 0;
    }

    public static (int Read, int Refused) Run(int cases, int seed)
    {
        var random = new Random(seed);
        int read = 0, refused = 0;
        for (int i = 0; i < cases; i++)
        {
            string text = Damage(random, Documents[random.Next(Documents.Length)]);
            try
            {
                if (IsPolicyData(text)) read++;
                else refused++;
                Require(TrustdConfiguration.Parse(text, "fuzz.yaml"), c => TrustdConfiguration.Parse(c.ToYaml(), "written.yaml").RequireValue());
                Require(OsdConfiguration.Parse(text, "fuzz.yaml"), c => OsdConfiguration.Parse(c.ToYaml(), "written.yaml").RequireValue());
                Require(MachineConfiguration.Parse(text, "fuzz.yaml"), _ => { });
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"case {i} of seed {seed}:\n{text}\n", e);
            }
        }
        return (read, refused);
    }

    static bool IsPolicyData(string text)
    {
        try
        {
            RegoInput.Parse(text, "fuzz.yaml");
            return true;
        }
        catch (PolicyException e) when (e.Errors is [{ Message.Length: > 0 }, ..])
        {
            return false;
        }
    }

    static void Require<T>(ConfigurationResult<T> result, Action<T> readAgain) where T : class
    {
        if (result.Value is { } value) readAgain(value);
        else if (result.Errors.Any(e => e.Message.Length == 0 || e.Line < 1 || e.Column < 1)) throw new InvalidOperationException("an error says nothing or is nowhere");
    }

    static string Damage(Random random, string text)
    {
        for (int times = random.Next(1, 6); times > 0; times--)
        {
            int at = random.Next(text.Length + 1), length = Math.Min(random.Next(1, 20), text.Length - at);
            text = random.Next(5) switch
            {
                0 or 1 => text.Insert(at, Pieces[random.Next(Pieces.Length)]),
                2 => text.Remove(at, length),
                3 => text.Insert(random.Next(text.Length + 1), text.Substring(at, length)),
                _ => text.Remove(at, length).Insert(at, Pieces[random.Next(Pieces.Length)]),
            };
        }
        return text;
    }
}
