namespace Talos.Api.Configuration;

/// <summary>How much of trustd each address, machine, person and token may use, so that none starves the others. What is not given keeps its default.</summary>
public sealed class RateLimitSection
{
    /// <summary>For each address of callers without a certificate: a rack of machines behind one may start at once.</summary>
    public RateSection Address { get; init; } = new() { PerMinute = 3000, Burst = 2000 };

    /// <summary>For each machine: it renews a few times a day.</summary>
    public RateSection Machine { get; init; } = new() { PerMinute = 6, Burst = 30 };

    /// <summary>For each person: more than anyone types, and enough for a program that lets in a fleet.</summary>
    public RateSection Person { get; init; } = new() { PerMinute = 600, Burst = 600 };

    /// <summary>For each token: as many machines as it may admit, once; whoever stole it gets no more than that share either.</summary>
    public RateSection Token { get; init; } = new() { PerMinute = 600, Burst = 1000 };

    internal static RateLimitSection Read(Section section)
    {
        var defaults = new RateLimitSection();
        return new RateLimitSection
        {
            Address = section.Subsection("address", RateSection.Read) ?? defaults.Address,
            Machine = section.Subsection("machine", RateSection.Read) ?? defaults.Machine,
            Person = section.Subsection("person", RateSection.Read) ?? defaults.Person,
            Token = section.Subsection("token", RateSection.Read) ?? defaults.Token,
        };
    }

    internal void Write(YamlWriter writer)
    {
        writer.Section("address", Address.Write);
        writer.Section("machine", Machine.Write);
        writer.Section("person", Person.Write);
        writer.Section("token", Token.Write);
    }
}

/// <summary>One rate: so many a minute on average, and so many at once.</summary>
public sealed class RateSection
{
    /// <summary>On average, 1 to 600,000.</summary>
    public required uint PerMinute { get; init; }

    /// <summary>At once, after a time of quiet; 1 to 1,000,000.</summary>
    public required uint Burst { get; init; }

    internal static RateSection Read(Section section)
    {
        var rate = new RateSection { PerMinute = section.Required("perMinute", Formats.Count), Burst = section.Required("burst", Formats.Count) };
        // LIMIT: above these a limit limits nothing, and the arithmetic of ticks stays far from its end.
        if (rate.PerMinute > 600_000) section.Fail("perMinute", $"{section.Name("perMinute")} is at most 600000");
        if (rate.Burst > 1_000_000) section.Fail("burst", $"{section.Name("burst")} is at most 1000000");
        return rate;
    }

    internal void Write(YamlWriter writer)
    {
        writer.Field("perMinute", PerMinute);
        writer.Field("burst", Burst);
    }
}
