using System.Globalization;
using System.Numerics;

namespace Talos.Policy;

/// <summary>Times are nanoseconds since 1970 in 64 bits.</summary>
static class TimeBuiltins
{
    public static IEnumerable<Builtin> All =>
    [
        new("time.now_ns", 0, (e, _) => Now(e)),
        Builtin.Of("time.parse_ns", (l, v) => InRange(GoTime.Parse(GoTime.Named(Operand.Text(l, 1)), Operand.Text(v, 2)))),
        Builtin.Of("time.parse_rfc3339_ns", v => InRange(GoTime.Parse(GoTime.Rfc3339Nano, Operand.Text(v, 1)))),
        Builtin.Of("time.parse_duration_ns", v => NumberValue.From(Duration(Operand.Text(v, 1)))),
        Builtin.Of("time.format", Format),
        Builtin.Of("time.date", v => Local(v) is var t ? new ArrayValue(Value.From(t.Time.Year), Value.From(t.Time.Month), Value.From(t.Time.Day)) : null),
        Builtin.Of("time.clock", v => Local(v) is var t ? new ArrayValue(Value.From(t.Time.Hour), Value.From(t.Time.Minute), Value.From(t.Time.Second)) : null),
        Builtin.Of("time.weekday", v => Value.From(Local(v).Time.DayOfWeek.ToString())),
        Builtin.Of("time.add_date", AddDate),
        Builtin.Of("time.diff", Diff),
        new("test.sleep", 1, (_, a) =>
        {
            Duration(Operand.Text(a[0], 1)); // NOTE: nothing waits; the time of an evaluation stands still anyway
            return NullValue.Instance;
        }),
    ];

    static Value Now(Evaluation e)
    {
        if (!e.Memo.TryGetValue("time.now_ns", out Value? now))
            e.Memo.Add("time.now_ns", now = Value.From(e.NowNanoseconds ?? (e.Options.Clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100));
        return now;
    }

    static NumberValue InRange(Int128 nanoseconds) => nanoseconds >= long.MinValue && nanoseconds <= long.MaxValue
        ? NumberValue.From((long)nanoseconds) : throw new BuiltinException("time outside of valid range");

    readonly record struct Moment(DateTime Time, int Nanoseconds, TimeSpan Offset, string Zone);

    static (long Nanoseconds, string Zone, string? Layout) Arguments(Value v)
    {
        switch (v)
        {
            case NumberValue n:
                return (Nanoseconds(n), "UTC", null);
            case ArrayValue a when a.Items.Length >= 1:
                return (Nanoseconds(a.Items[0]),
                    a.Items.Length > 1 ? (a.Items[1] as StringValue)?.Text ?? throw BuiltinException.Type(1, a.Items[1], "string") : "UTC",
                    a.Items.Length > 2 ? (a.Items[2] as StringValue)?.Text ?? throw BuiltinException.Type(1, a.Items[2], "string") : null);
            default:
                throw BuiltinException.Type(1, v, "either number (ns) or [number (ns), string (tz)]");
        }
    }

    static long Nanoseconds(Value v)
    {
        NumberValue n = v as NumberValue ?? throw BuiltinException.Type(1, v, "number");
        BigInteger whole = n.ToBigFloat().Truncate();
        return n.IsInteger && whole >= long.MinValue && whole <= long.MaxValue ? (long)whole : throw new BuiltinException("timestamp too big");
    }

    static Moment Local(Value v)
    {
        (long ns, string zone, _) = Arguments(v);
        return At(ns, zone);
    }

    static Moment At(long ns, string zone)
    {
        long ticks = Math.DivRem(ns, 100, out long rest);
        if (rest < 0) (ticks, rest) = (ticks - 1, rest + 100);
        DateTime utc = DateTime.UnixEpoch.AddTicks(ticks);
        int fraction = (int)(utc.Ticks % TimeSpan.TicksPerSecond * 100 + rest);
        TimeZoneInfo info = Zone(zone);
        TimeSpan offset = info.GetUtcOffset(utc);
        string name = info == TimeZoneInfo.Utc ? "UTC" : info.IsDaylightSavingTime(utc) ? Abbreviation(info.DaylightName, offset) : Abbreviation(info.StandardName, offset);
        return new Moment(DateTime.SpecifyKind(utc + offset, DateTimeKind.Unspecified), fraction, offset, name);
    }

    static string Abbreviation(string name, TimeSpan offset) => name.Length is >= 3 and <= 5 && name.All(char.IsAsciiLetterUpper) ? name
        : string.Create(CultureInfo.InvariantCulture, $"{(offset < TimeSpan.Zero ? '-' : '+')}{offset.Duration().Hours:00}{(offset.Minutes == 0 ? "" : Math.Abs(offset.Minutes).ToString("00", CultureInfo.InvariantCulture))}");

    static TimeZoneInfo Zone(string name)
    {
        switch (name)
        {
            case "UTC" or "":
                return TimeZoneInfo.Utc;
            case "Local":
                return TimeZoneInfo.Local;
            default:
                return TimeZoneInfo.TryFindSystemTimeZoneById(name, out TimeZoneInfo? zone) ? zone : throw new BuiltinException($"unknown time zone {name}");
        }
    }

    static Value Format(Value v)
    {
        (long ns, string zone, string? layout) = Arguments(v);
        Moment m = At(ns, zone);
        return Value.From(GoTime.Format(GoTime.Named(layout ?? GoTime.Rfc3339Nano), m.Time, m.Nanoseconds, m.Offset, m.Zone));
    }

    static NumberValue AddDate(Value v, Value years, Value months, Value days)
    {
        (long ns, string zone, _) = Arguments(v);
        long y = Operand.Int(years, 2), m = Operand.Int(months, 3), d = Operand.Int(days, 4);
        Moment at = At(ns, zone);
        // Go normalises overflowing months, then days.
        long month = at.Time.Month - 1 + m, year = at.Time.Year + y + (long)Math.Floor(month / 12.0);
        month = ((month % 12) + 12) % 12;
        if (Math.Abs(year) > 100_000 || Math.Abs(d) > 100_000_000) throw new BuiltinException("time outside of valid range");
        long day = GoTime.DaysFromCivil(year, (int)month + 1, 1) + at.Time.Day - 1 + d;
        Int128 local = ((Int128)day * 86400 + at.Time.TimeOfDay.Ticks / TimeSpan.TicksPerSecond) * 1_000_000_000 + at.Nanoseconds;
        return InRange(local - OffsetOf(local, zone));
    }

    // What to take from a local time for UTC: by the offset that is in force then, as Go looks it up.
    static long OffsetOf(Int128 local, string zone)
    {
        if (local < long.MinValue || local > long.MaxValue) return 0;
        long offset = At((long)local, zone).Offset.Ticks * 100;
        Int128 utc = local - offset;
        return utc < long.MinValue || utc > long.MaxValue ? offset : At((long)utc, zone).Offset.Ticks * 100;
    }

    static ArrayValue Diff(Value a, Value b)
    {
        Moment x = Local(a), y = Local(b);
        // The second is read in the zone of the first, and the earlier comes first.
        (long nsB, _, _) = Arguments(b);
        (_, string zoneA, _) = Arguments(a);
        y = At(nsB, zoneA) is var z ? z : y;
        if ((x.Time, x.Nanoseconds).CompareTo((y.Time, y.Nanoseconds)) > 0) (x, y) = (y, x);
        int year = y.Time.Year - x.Time.Year, month = y.Time.Month - x.Time.Month, day = y.Time.Day - x.Time.Day;
        int hour = y.Time.Hour - x.Time.Hour, minute = y.Time.Minute - x.Time.Minute, second = y.Time.Second - x.Time.Second;
        if (second < 0) (second, minute) = (second + 60, minute - 1);
        if (minute < 0) (minute, hour) = (minute + 60, hour - 1);
        if (hour < 0) (hour, day) = (hour + 24, day - 1);
        if (day < 0)
        {
            day += DateTime.DaysInMonth(x.Time.Year, x.Time.Month);
            month--;
        }
        if (month < 0) (month, year) = (month + 12, year - 1);
        return new ArrayValue([.. new long[] { year, month, day, hour, minute, second }.Select(Value.From)]);
    }

    // Go's time.ParseDuration.
    public static long Duration(string text)
    {
        BuiltinException Fail(string problem) => new($"time: {problem} \"{text}\"");
        string rest = text;
        bool negative = rest.StartsWith('-');
        if (rest.Length > 0 && rest[0] is '-' or '+') rest = rest[1..];
        if (rest == "0") return 0;
        if (rest.Length == 0) throw Fail("invalid duration");
        decimal total = 0;
        for (int i = 0; i < rest.Length;)
        {
            int start = i;
            while (i < rest.Length && (char.IsAsciiDigit(rest[i]) || rest[i] == '.')) i++;
            if (!decimal.TryParse(rest.AsSpan(start, i - start), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number)) throw Fail("invalid duration");
            int unitStart = i;
            while (i < rest.Length && !char.IsAsciiDigit(rest[i]) && rest[i] != '.') i++;
            string unit = rest[unitStart..i];
            if (unit.Length == 0) throw Fail("missing unit in duration");
            decimal scale = unit switch
            {
                "ns" => 1,
                "us" or "µs" or "μs" => 1_000,
                "ms" => 1_000_000,
                "s" => 1_000_000_000,
                "m" => 60_000_000_000,
                "h" => 3_600_000_000_000,
                _ => throw new BuiltinException($"time: unknown unit \"{unit}\" in duration \"{text}\""),
            };
            if (number > long.MaxValue) throw Fail("invalid duration");
            total += decimal.Truncate(number * scale);
            if (total > 9_223_372_036_854_775_808m) throw Fail("invalid duration");
        }
        if (negative) return (long)-total;
        return total <= long.MaxValue ? (long)total : throw Fail("invalid duration");
    }
}
