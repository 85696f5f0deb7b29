using System.Globalization;
using System.Text;

namespace Talos.Policy;

/// <summary>Go's time layouts: the reference time Mon Jan 2 15:04:05 MST 2006, written the way a value should be read.</summary>
static class GoTime
{
    // Longer ones first where one begins with another.
    static readonly string[] Elements =
    [
        "January", "Monday", "2006", "Z07:00:00", "-07:00:00", "Z070000", "-070000", "Z07:00", "-07:00", "Z0700", "-0700", "Z07", "-07", "Jan", "Mon", "MST",
        "002", "01", "02", "03", "04", "05", "06", "15", "PM", "pm", "_2006", "__2", "_2", "1", "2", "3", "4", "5",
    ];

    static readonly string[] Months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
    static readonly string[] Days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

    public const string Rfc3339Nano = "2006-01-02T15:04:05.999999999Z07:00";

    public static string Named(string layout) => layout switch
    {
        "ANSIC" => "Mon Jan _2 15:04:05 2006",
        "UnixDate" => "Mon Jan _2 15:04:05 MST 2006",
        "RubyDate" => "Mon Jan 02 15:04:05 -0700 2006",
        "RFC822" => "02 Jan 06 15:04 MST",
        "RFC822Z" => "02 Jan 06 15:04 -0700",
        "RFC850" => "Monday, 02-Jan-06 15:04:05 MST",
        "RFC1123" => "Mon, 02 Jan 2006 15:04:05 MST",
        "RFC1123Z" => "Mon, 02 Jan 2006 15:04:05 -0700",
        "RFC3339" => "2006-01-02T15:04:05Z07:00",
        "RFC3339Nano" => Rfc3339Nano,
        _ => layout,
    };

    static IEnumerable<(string Text, bool IsElement)> Split(string layout)
    {
        var literal = new StringBuilder();
        for (int i = 0; i < layout.Length;)
        {
            string? element = Fraction(layout, i);
            foreach (string candidate in Elements)
            {
                if (element is not null) break;
                if (string.CompareOrdinal(layout, i, candidate, 0, candidate.Length) != 0) continue;
                // `Jan` is an element only when no lower-case letter follows: `January` is another.
                if (candidate is "Jan" or "Mon" && i + 3 < layout.Length && char.IsAsciiLetterLower(layout[i + 3])) continue;
                if (candidate == "_2006")
                {
                    literal.Append('_');
                    i++;
                    element = "2006";
                    break;
                }
                element = candidate;
            }
            if (element is null)
            {
                literal.Append(layout[i++]);
                continue;
            }
            if (literal.Length > 0) yield return (literal.ToString(), false);
            literal.Clear();
            yield return (element, true);
            i += element.Length;
        }
        if (literal.Length > 0) yield return (literal.ToString(), false);
    }

    // `.000` or `,999` behind the seconds.
    static string? Fraction(string layout, int i)
    {
        if (layout[i] is not ('.' or ',') || i + 1 >= layout.Length || layout[i + 1] is not ('0' or '9')) return null;
        int end = i + 1;
        while (end < layout.Length && layout[end] == layout[i + 1]) end++;
        return end < layout.Length && char.IsAsciiDigit(layout[end]) ? null : layout[i..end];
    }

    public static string Format(string layout, DateTime local, int nanoseconds, TimeSpan offset, string zone)
    {
        var text = new StringBuilder();
        foreach ((string part, bool isElement) in Split(layout))
        {
            if (!isElement)
            {
                text.Append(part);
                continue;
            }
            text.Append(part switch
            {
                "2006" => local.Year.ToString("0000", CultureInfo.InvariantCulture),
                "06" => (local.Year % 100).ToString("00", CultureInfo.InvariantCulture),
                "01" => local.Month.ToString("00", CultureInfo.InvariantCulture),
                "1" => local.Month.ToString(CultureInfo.InvariantCulture),
                "Jan" => Months[local.Month - 1][..3],
                "January" => Months[local.Month - 1],
                "02" => local.Day.ToString("00", CultureInfo.InvariantCulture),
                "_2" => local.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
                "2" => local.Day.ToString(CultureInfo.InvariantCulture),
                "002" => local.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
                "__2" => local.DayOfYear.ToString(CultureInfo.InvariantCulture).PadLeft(3),
                "15" => local.Hour.ToString("00", CultureInfo.InvariantCulture),
                "03" => ((local.Hour + 11) % 12 + 1).ToString("00", CultureInfo.InvariantCulture),
                "3" => ((local.Hour + 11) % 12 + 1).ToString(CultureInfo.InvariantCulture),
                "04" => local.Minute.ToString("00", CultureInfo.InvariantCulture),
                "4" => local.Minute.ToString(CultureInfo.InvariantCulture),
                "05" => local.Second.ToString("00", CultureInfo.InvariantCulture),
                "5" => local.Second.ToString(CultureInfo.InvariantCulture),
                "PM" => local.Hour >= 12 ? "PM" : "AM",
                "pm" => local.Hour >= 12 ? "pm" : "am",
                "Mon" => Days[(int)local.DayOfWeek][..3],
                "Monday" => Days[(int)local.DayOfWeek],
                "MST" => zone,
                _ when part[0] is '.' or ',' => FractionText(part, nanoseconds),
                _ => Offset(part, offset),
            });
        }
        return text.ToString();
    }

    static string FractionText(string part, int nanoseconds)
    {
        string digits = nanoseconds.ToString("000000000", CultureInfo.InvariantCulture)[..Math.Min(9, part.Length - 1)];
        if (part[1] == '0') return part[0] + digits.PadRight(part.Length - 1, '0');
        digits = digits.TrimEnd('0');
        return digits.Length == 0 ? "" : part[0] + digits;
    }

    static string Offset(string part, TimeSpan offset)
    {
        if (part[0] == 'Z' && offset == TimeSpan.Zero) return "Z";
        string sign = offset < TimeSpan.Zero ? "-" : "+";
        TimeSpan o = offset.Duration();
        string shape = part[1..];
        string colon = shape.Contains(':', StringComparison.Ordinal) ? ":" : "";
        string text = $"{sign}{o.Hours:00}";
        if (shape.Length > 2) text += $"{colon}{o.Minutes:00}";
        if (shape.Length > 5) text += $"{colon}{o.Seconds:00}";
        return text;
    }

    /// <summary>Nanoseconds since 1970; may lie outside of 64 bits.</summary>
    public static Int128 Parse(string layout, string value)
    {
        int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, nanoseconds = 0, dayOfYear = 0, at = 0;
        bool pm = false, am = false;
        TimeSpan offset = TimeSpan.Zero;
        BuiltinException Fail(string element) => new($"parsing time \"{value}\" as \"{layout}\": cannot parse \"{(at <= value.Length ? value[at..] : "")}\" as \"{element}\"");
        int Digits(int min, int max, string element)
        {
            int end = at;
            while (end < value.Length && end - at < max && char.IsAsciiDigit(value[end])) end++;
            if (end - at < min) throw Fail(element);
            int n = int.Parse(value.AsSpan(at, end - at), CultureInfo.InvariantCulture);
            at = end;
            return n;
        }
        int Name(string[] names, int length, string element)
        {
            for (int i = 0; i < names.Length; i++)
            {
                string name = length == 0 ? names[i] : names[i][..length];
                if (string.Compare(value, at, name, 0, name.Length, StringComparison.OrdinalIgnoreCase) != 0 || at + name.Length > value.Length) continue;
                at += name.Length;
                return i;
            }
            throw Fail(element);
        }
        foreach ((string part, bool isElement) in Split(layout))
        {
            if (!isElement)
            {
                if (string.CompareOrdinal(value, at, part, 0, part.Length) != 0) throw Fail(part);
                at += part.Length;
                continue;
            }
            switch (part)
            {
                case "2006": year = Digits(4, 4, part); break;
                case "06": year = Digits(2, 2, part) is var two && two >= 69 ? 1900 + two : 2000 + two; break;
                case "01": month = Digits(2, 2, part); break;
                case "1": month = Digits(1, 2, part); break;
                case "Jan": month = Name(Months, 3, part) + 1; break;
                case "January": month = Name(Months, 0, part) + 1; break;
                case "02": day = Digits(2, 2, part); break;
                case "_2" or "2":
                    if (part == "_2" && at < value.Length && value[at] == ' ') at++;
                    day = Digits(1, 2, part);
                    break;
                case "002" or "__2":
                    while (part == "__2" && at < value.Length && value[at] == ' ') at++;
                    dayOfYear = Digits(1, 3, part);
                    break;
                case "15": hour = Digits(2, 2, part); break;
                case "03": hour = Digits(2, 2, part); break;
                case "3": hour = Digits(1, 2, part); break;
                case "04": minute = Digits(2, 2, part); break;
                case "4": minute = Digits(1, 2, part); break;
                case "05" or "5":
                    second = Digits(part == "05" ? 2 : 1, 2, part);
                    if (at < value.Length && value[at] is '.' or ',' && at + 1 < value.Length && char.IsAsciiDigit(value[at + 1]) && !FractionFollows(layout, part)) nanoseconds = ReadFraction(value, ref at);
                    break;
                case "PM" or "pm":
                    string half = at + 2 <= value.Length ? value.Substring(at, 2) : "";
                    pm = half == (part == "PM" ? "PM" : "pm");
                    am = half == (part == "PM" ? "AM" : "am");
                    if (!pm && !am) throw Fail(part);
                    at += 2;
                    break;
                case "Mon": Name(Days, 3, part); break;
                case "Monday": Name(Days, 0, part); break;
                case "MST":
                    int letters = at;
                    while (letters < value.Length && char.IsAsciiLetterUpper(value[letters]) && letters - at < 5) letters++;
                    if (letters - at < 3) throw Fail(part);
                    at = letters;
                    break;
                default:
                    if (part[0] is '.' or ',')
                    {
                        if (part[1] == '9' && (at >= value.Length || value[at] is not ('.' or ','))) break;
                        if (at >= value.Length || value[at] is not ('.' or ',')) throw Fail(part);
                        int start = at;
                        nanoseconds = ReadFraction(value, ref at);
                        if (part[1] == '0' && at - start != part.Length) throw Fail(part);
                        break;
                    }
                    offset = ReadOffset(part, value, ref at, Fail);
                    break;
            }
        }
        if (at != value.Length) throw new BuiltinException($"parsing time \"{value}\": extra text: \"{value[at..]}\"");
        if (pm && hour < 12) hour += 12;
        else if (am && hour == 12) hour = 0;
        if (dayOfYear > 0 && year is > 0 and < 10000)
        {
            DateTime date = new DateTime(year, 1, 1).AddDays(dayOfYear - 1);
            (month, day) = (date.Month, date.Day);
        }
        if (month == 0 && !layout.Contains("01", StringComparison.Ordinal)) month = 1;
        if (day == 0 && dayOfYear == 0 && !layout.Contains("02", StringComparison.Ordinal)) day = 1;
        string? outOfRange = month is < 1 or > 12 ? "month" : year is < 0 or > 9999 || day < 1 || day > DateTime.DaysInMonth(Math.Max(year, 1), month) ? "day"
            : hour > 23 ? "hour" : minute > 59 ? "minute" : second > 59 ? "second" : null;
        if (outOfRange is not null) throw new BuiltinException($"parsing time \"{value}\": {outOfRange} out of range");
        long days = DaysFromCivil(year, month, day);
        return ((Int128)days * 86400 + hour * 3600 + minute * 60 + second - (long)offset.TotalSeconds) * 1_000_000_000 + nanoseconds;
    }

    static bool FractionFollows(string layout, string seconds)
    {
        int at = layout.IndexOf(seconds, StringComparison.Ordinal) + seconds.Length;
        return at < layout.Length && Fraction(layout, at) is not null;
    }

    static int ReadFraction(string value, ref int at)
    {
        int start = ++at;
        while (at < value.Length && char.IsAsciiDigit(value[at])) at++;
        return int.Parse(value[start..at].PadRight(9, '0')[..9], CultureInfo.InvariantCulture);
    }

    static TimeSpan ReadOffset(string part, string value, ref int at, Func<string, BuiltinException> fail)
    {
        if (part[0] == 'Z' && at < value.Length && value[at] == 'Z')
        {
            at++;
            return TimeSpan.Zero;
        }
        string shape = part[1..];
        if (at + 1 + shape.Length > value.Length || value[at] is not ('+' or '-')) throw fail(part);
        string text = value.Substring(at + 1, shape.Length);
        var numbers = new int[3];
        int n = 0;
        for (int i = 0; i < shape.Length;)
        {
            if (shape[i] == ':')
            {
                if (text[i] != ':') throw fail(part);
                i++;
                continue;
            }
            if (!char.IsAsciiDigit(text[i]) || !char.IsAsciiDigit(text[i + 1])) throw fail(part);
            numbers[n++] = (text[i] - '0') * 10 + text[i + 1] - '0';
            i += 2;
        }
        if (numbers[0] > 24 || numbers[1] > 60 || numbers[2] > 60) throw fail(part);
        bool negative = value[at] == '-';
        at += 1 + shape.Length;
        var offset = new TimeSpan(numbers[0], numbers[1], numbers[2]);
        return negative ? -offset : offset;
    }

    // Days since 1970 in the proleptic Gregorian calendar; years below 1 too.
    public static long DaysFromCivil(long year, int month, int day)
    {
        if (month <= 2) year--;
        long era = (year >= 0 ? year : year - 399) / 400, yearOfEra = year - era * 400;
        long dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
        return era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468;
    }
}
