using System.Text;

namespace Talos.Policy;

/// <summary>
/// Runs a <see cref="RegexCode"/> over a text, all ways at once, so that time grows with the text and never with the ways there are.
/// Prefers as Perl does: the leftmost match, and of those the first by the order of the alternatives. Used by one thread at a time.
/// </summary>
sealed class RegexMachine
{
    // LIMIT: steps of one search; a second or two of work, since a builtin is not interrupted.
    const long MaxWork = 200_000_000;

    readonly RegexCode _code;
    readonly Stack<(int Step, int Slot, int Old)> _todo = new();
    ThreadList _now, _next;
    long _work;

    public RegexMachine(RegexCode code)
    {
        _code = code;
        _now = new ThreadList(code);
        _next = new ThreadList(code);
    }

    /// <summary>Ways that are being followed, in order of preference, each with the positions it saved.</summary>
    sealed class ThreadList(RegexCode code)
    {
        public readonly int[] Steps = new int[code.Steps.Length];
        public readonly int[] Where = new int[code.Steps.Length];
        public readonly int[] Saved = new int[code.Steps.Length * code.Slots];
        public int Count;

        public bool Contains(int step) => Where[step] is var at && at < Count && Steps[at] == step;

        public Span<int> SavedOf(int index, int slots) => Saved.AsSpan(index * slots, slots);
    }

    /// <summary>The first match at or behind a position: start and end of each group, -1 where it took no part. Null when there is none.</summary>
    public int[]? Find(string text, int from, bool onlyWhether = false)
    {
        int[]? best = null;
        int[] start = new int[_code.Slots];
        Array.Fill(start, -1);
        _now.Count = 0;
        _work = 0;
        int at = from;
        while (true)
        {
            if (_now.Count == 0)
            {
                if (best is not null || (_code.IsAnchored && at > 0)) return best;
                if (_code.First is { } first)
                {
                    while (at < text.Length && !first.Contains(RuneAt(text, at, out int skipped))) at += skipped;
                    if (at >= text.Length) return null;
                }
            }
            if (best is null) Follow(_now, 0, start, text, at);
            int rune = -1, width = 0;
            if (at < text.Length) rune = RuneAt(text, at, out width);
            _next.Count = 0;
            for (int i = 0; i < _now.Count; i++)
            {
                RegexStep step = _code.Steps[_now.Steps[i]];
                Span<int> saved = _now.SavedOf(i, _code.Slots);
                if (step.Operation == RegexOperation.Match)
                {
                    if (onlyWhether) return [];
                    // What comes behind in the list is less preferred.
                    best = saved.ToArray();
                    break;
                }
                if (step.Operation == RegexOperation.Character && rune >= 0 && step.Set!.Contains(rune)) Follow(_next, step.Next, saved, text, at + width);
            }
            (_now, _next) = (_next, _now);
            if (rune < 0) return best;
            at += width;
        }
    }

    // Goes on until each way needs a character. A step that a more preferred way has reached already is not followed again.
    void Follow(ThreadList list, int step, ReadOnlySpan<int> before, string text, int at)
    {
        Span<int> saved = before.Length <= 64 ? stackalloc int[before.Length] : new int[before.Length];
        before.CopyTo(saved);
        _todo.Push((step, -1, 0));
        while (_todo.TryPop(out var todo))
        {
            if (todo.Step < 0)
            {
                saved[todo.Slot] = todo.Old;
                continue;
            }
            int here = todo.Step;
            while (true)
            {
                if ((++_work & 0xFFFF) == 0) Evaluation.CheckRunning();
                if (_work > MaxWork)
                {
                    _todo.Clear();
                    throw new BuiltinException("the regular expression takes too long on this text");
                }
                if (list.Contains(here)) break;
                list.Where[here] = list.Count;
                list.Steps[list.Count] = here;
                int index = list.Count++;
                RegexStep code = _code.Steps[here];
                switch (code.Operation)
                {
                    case RegexOperation.Jump:
                        here = code.Next;
                        continue;
                    case RegexOperation.Split:
                        _todo.Push((code.Other, -1, 0));
                        here = code.Next;
                        continue;
                    case RegexOperation.Save:
                        _todo.Push((-1, code.Other, saved[code.Other]));
                        saved[code.Other] = at;
                        here = code.Next;
                        continue;
                    case RegexOperation.Assert:
                        if (!Holds((RegexAssertion)code.Other, text, at)) break;
                        here = code.Next;
                        continue;
                    case RegexOperation.Character or RegexOperation.Match:
                        saved.CopyTo(list.SavedOf(index, _code.Slots));
                        break;
                }
                break;
            }
        }
    }

    static bool Holds(RegexAssertion assertion, string text, int at) => assertion switch
    {
        RegexAssertion.TextStart => at == 0,
        RegexAssertion.TextEnd => at == text.Length,
        RegexAssertion.LineStart => at == 0 || text[at - 1] == '\n',
        RegexAssertion.LineEnd => at == text.Length || text[at] == '\n',
        // RE2: words are ASCII.
        RegexAssertion.WordBoundary => IsWord(text, at - 1) != IsWord(text, at),
        RegexAssertion.NoWordBoundary => IsWord(text, at - 1) == IsWord(text, at),
        _ => throw new ArgumentOutOfRangeException(nameof(assertion), assertion, null),
    };

    static bool IsWord(string text, int at) => at >= 0 && at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] == '_');

    public static int RuneAt(string text, int at, out int width)
    {
        char c = text[at];
        if (!char.IsHighSurrogate(c) || at + 1 >= text.Length || !char.IsLowSurrogate(text[at + 1]))
        {
            width = 1;
            return char.IsSurrogate(c) ? Rune.ReplacementChar.Value : c;
        }
        width = 2;
        return char.ConvertToUtf32(c, text[at + 1]);
    }
}
