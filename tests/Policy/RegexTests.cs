using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace Talos.Policy.Tests;

/// <summary>Regular expressions as Go has them; .NET's engine is the oracle where the two mean the same.</summary>
public sealed class RegexTests
{
    [Theory]
    [InlineData("^.$", "😀", true)]
    [InlineData("^[^a]$", "😀", true)]
    [InlineData("[😀-😂]", "😁", true)]
    [InlineData(@"\bé", "é", false)]
    [InlineData(@"\bfoo\b", "a foo b", true)]
    [InlineData(@"foo\B", "food", true)]
    [InlineData(@"(?i)straße", "STRAßE", true)]
    [InlineData(@"(?i)k", "\u212A", true)]
    [InlineData(@"(?i)S", "ſ", true)]
    [InlineData(@"(?i)[^k]", "K", false)]
    [InlineData(@"\d", "٣", false)]
    [InlineData(@"\p{Nd}", "٣", true)]
    [InlineData(@"^\p{Latin}+$", "Ærø", true)]
    [InlineData(@"\P{Greek}", "α", false)]
    [InlineData(@"[[:^alpha:]]", "1", true)]
    [InlineData(@"[\W]", "é", true)]
    [InlineData("a{,2}", "a{,2}", true)]
    [InlineData(@"\Qa.b\E+", "a.bbb", true)]
    [InlineData(@"(?i:a)b", "AB", false)]
    [InlineData(@"(?m)^b$", "a\nb\nc", true)]
    [InlineData("^b$", "a\nb", false)]
    [InlineData("(?s:.)x", "\nx", true)]
    [InlineData(@"\x{1F600}|\101", "A", true)]
    [InlineData("(|a)*b", "aab", true)]
    public void Accepts_what_Go_accepts(string pattern, string text, bool matches) => Assert.Equal(matches, GoRegex.Parse(pattern).IsMatch(text));

    [Theory]
    [InlineData("[a", "missing closing ]: `[a`")]
    [InlineData("a)", "unexpected ): `a)`")]
    [InlineData("(a", "missing closing ): `(a`")]
    [InlineData("*a", "missing argument to repetition operator: `*`")]
    [InlineData("a|*", "missing argument to repetition operator: `*`")]
    [InlineData("a**", "invalid nested repetition operator: `**`")]
    [InlineData("a{2}{3}", "invalid nested repetition operator: `{2}{3}`")]
    [InlineData("a{1001}", "invalid repeat count: `{1001}`")]
    [InlineData("a{2,1}", "invalid repeat count: `{2,1}`")]
    [InlineData("((a{100}){100}){100}", "invalid repeat count: `{100}`")]
    [InlineData("[z-a]", "invalid character class range: `z-a`")]
    [InlineData(@"[a-\d]", @"invalid character class range: `a-\d`")]
    [InlineData("[[:foo:]]", "invalid character class range: `[:foo:]`")]
    [InlineData(@"\p{Foo}", @"invalid character class range: `\p{Foo}`")]
    [InlineData(@"a\", "trailing backslash at end of expression: ``")]
    [InlineData(@"\C", @"invalid escape sequence: `\C`")]
    [InlineData(@"(a)\1", @"invalid escape sequence: `\1`")]
    [InlineData("(?=a)", "invalid or unsupported Perl syntax: `(?=`")]
    [InlineData("(?<!a)", "invalid named capture: `(?<!a)`")]
    [InlineData("(?P<n", "invalid named capture: `(?P<n`")]
    public void Rejects_with_Gos_words(string pattern, string problem) =>
        Assert.Equal($"error parsing regexp: {problem}", Assert.Throws<BuiltinException>(() => GoRegex.Parse(pattern)).Message);

    // Both prefer leftmost, then first; the patterns leave out what the two read differently.
    [Fact]
    public void Accepts_the_same_matches_as_the_platforms_engine_for_random_patterns()
    {
        var random = new Random(20260301);
        for (int i = 0; i < 20_000; i++)
        {
            string pattern = Pattern(random, 3), text = new([.. Enumerable.Range(0, random.Next(12)).Select(_ => "abc\n"[random.Next(4)])]);
            var expected = new List<string>();
            int end = -1;
            foreach (Match m in Regex.Matches(text, pattern, RegexOptions.CultureInvariant))
            {
                // Go drops an empty match right behind another one.
                if (m.Length == 0 && m.Index == end) continue;
                end = m.Index + m.Length;
                expected.Add($"{m.Index}..{end}");
            }
            Assert.True(expected.SequenceEqual(GoRegex.Parse(pattern).FindAll(text, -1).Select(m => $"{m[0]}..{m[1]}")), $"`{pattern}` on `{text}`: {string.Join(' ', expected)}");
        }
    }

    static string Pattern(Random random, int depth)
    {
        var text = new StringBuilder();
        for (int parts = random.Next(1, 4); parts > 0; parts--)
        {
            int kind = random.Next(depth > 0 ? 8 : 5);
            if (kind >= 5)
            {
                text.Append(kind == 5 ? "(?:" : "(").Append(Pattern(random, depth - 1));
                if (kind == 7) text.Append('|').Append(Pattern(random, depth - 1));
                // What may be empty is repeated a counted number of times only: there the engines differ in what a loop without progress means.
                text.Append(')').Append(random.Next(3) == 0 ? "?" : "");
                continue;
            }
            text.Append(kind switch { 0 => "[ab]", 1 => "[^a]", 2 => ".", 3 => random.Next(4) switch { 0 => "^", 1 => "\\b", _ => "c" }, _ => "abc"[random.Next(3)].ToString() });
            if (text[^1] is not ('^' or 'b')) text.Append(random.Next(8) switch { 0 => "*", 1 => "+?", 2 => "?", 3 => "{1,3}", 4 => "*?", 5 => "{2}", _ => "" });
        }
        return text.ToString();
    }

    [Fact]
    public void Survives_a_pattern_that_makes_others_take_for_ever()
    {
        Assert.False(GoRegex.Parse("^(a+)+$").IsMatch(new string('a', 20_000) + "b"));
        Assert.Contains("takes too long", Assert.Throws<BuiltinException>(() => GoRegex.Parse("(.*){900}x").IsMatch(new string('a', 1_000_000))).Message, StringComparison.Ordinal);
    }
}
