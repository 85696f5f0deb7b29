using System.Text;
using System.Text.Unicode;

namespace Talos.Policy;

/// <summary>
/// Texts as Go has them, any bytes. A byte that is no UTF-8 is kept as half a surrogate, U+DC80 to U+DCFF, which no other text can hold: what is decoded
/// can be hashed or encoded again. Written out it is U+FFFD, as Go writes it.
/// </summary>
static class GoBytes
{
    const char Escape = '\uDC00';
    const char Replacement = '\uFFFD';

    public static string Text(ReadOnlySpan<byte> bytes)
    {
        if (Utf8.IsValid(bytes)) return Encoding.UTF8.GetString(bytes);
        var text = new StringBuilder(bytes.Length);
        while (bytes.Length > 0)
        {
            bool isRune = Rune.DecodeFromUtf8(bytes, out Rune rune, out int length) == System.Buffers.OperationStatus.Done;
            if (isRune) text.Append(rune);
            else text.Append((char)(Escape + bytes[0]));
            bytes = bytes[(isRune ? length : 1)..];
        }
        return text.ToString();
    }

    public static byte[] Of(string text)
    {
        if (FirstHalf(text) < 0) return Encoding.UTF8.GetBytes(text);
        var bytes = new List<byte>(text.Length);
        Span<byte> utf8 = stackalloc byte[4];
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c is >= '\uDC80' and <= '\uDCFF')
            {
                bytes.Add((byte)(c - Escape));
                continue;
            }
            Rune rune = Rune.TryGetRuneAt(text, i, out Rune whole) ? whole : new Rune(Replacement);
            i += rune.Utf16SequenceLength - 1;
            bytes.AddRange(utf8[..rune.EncodeToUtf8(utf8)]);
        }
        return [.. bytes];
    }

    /// <summary>The text in which bytes that have become neighbours may be characters.</summary>
    public static string Joined(string text) => FirstHalf(text) < 0 ? text : Text(Of(text));

    /// <summary>The text with U+FFFD for each half of a surrogate, as Go reads escapes like <c>\ud800</c>.</summary>
    public static string WithoutHalves(string text)
    {
        if (FirstHalf(text) < 0) return text;
        var whole = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes()) whole.Append(rune); // which replaces them
        return whole.ToString();
    }

    static int FirstHalf(string text)
    {
        for (int i = text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF'); i >= 0 && i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 >= text.Length || !char.IsSurrogatePair(text[i], text[i + 1])) return i;
            i++;
        }
        return -1;
    }
}
