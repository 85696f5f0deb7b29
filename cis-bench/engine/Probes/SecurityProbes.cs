using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Talos.Checks.Probes;

/// <summary>Security modules, kernel modules and certificates.</summary>
static class SecurityProbes
{
    // LIMIT: a bundle of root certificates has 250 kB.
    const int MaxCertificate = 1 << 20;

    public static readonly string[] CertificateFacts = ["days-left", "days-total", "key-bits", "signature", "subject"];

    public static Reading ActiveModules(FactStore facts, IReadOnlyList<string> arguments) => Whole(facts, "/sys/kernel/security/lsm");

    /// <summary>The mode of lockdown: none, integrity or confidentiality. The file lists the modes with the active one in brackets.</summary>
    public static Reading Lockdown(FactStore facts, IReadOnlyList<string> arguments)
    {
        const string path = "/sys/kernel/security/lockdown";
        var reading = Whole(facts, path);
        if (reading.State != ReadingState.Present) return reading;
        var text = reading.Facts[0].Value;
        var (open, close) = (text.IndexOf('['), text.IndexOf(']'));
        return open >= 0 && close > open ? Reading.Of(text[(open + 1)..close], path) : Reading.Unreadable(path, $"unexpected text `{text}`");
    }

    /// <summary>The kernel's modules that are loaded. A kernel that can load none has no list.</summary>
    public static Reading LoadedModules(FactStore facts, IReadOnlyList<string> arguments)
    {
        const string path = "/proc/modules";
        var read = facts.Files.ReadText(path, MaxCertificate);
        if (read.State == ReadingState.Unreadable) return Reading.Unreadable(path, read.Reason);
        if (read.State == ReadingState.Absent && facts.Files.Status("/proc/self", true, out _, out _) != ReadingState.Present)
            return Reading.Unreadable(path, "/proc is not mounted");
        return Reading.Of([.. read.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => new Fact(l.Split(' ')[0], path))], path);
    }

    public static Reading Certificate(FactStore facts, IReadOnlyList<string> arguments)
    {
        var pattern = arguments[1];
        if (PathArgument.Resolve(facts, ref pattern) is { } none) return none;
        var state = facts.Files.Expand(pattern, out var paths, out var reason);
        if (state != ReadingState.Present) return state == ReadingState.Absent ? Reading.Absent(pattern) : Reading.Unreadable(pattern, reason);
        var found = new List<Fact>();
        foreach (var path in paths)
        {
            var read = facts.Files.ReadText(path, MaxCertificate);
            if (read.State != ReadingState.Present) return Reading.Unreadable(path, read.State == ReadingState.Absent ? "it is not there" : read.Reason);
            try
            {
                using var certificate = X509Certificate2.CreateFromPem(read.Text);
                found.Add(new(FactOf(certificate, arguments[0], facts.Now), path));
            }
            catch (CryptographicException e)
            {
                return Reading.Unreadable(path, $"it is no PEM certificate: {e.Message.TrimEnd('.')}");
            }
        }
        return Reading.Of(found, pattern);
    }

    static string FactOf(X509Certificate2 certificate, string fact, DateTimeOffset now) => fact switch
    {
        "days-left" => Days(certificate.NotAfter.ToUniversalTime() - now.UtcDateTime),
        "days-total" => Days(certificate.NotAfter - certificate.NotBefore),
        "key-bits" => KeyBits(certificate).ToString(CultureInfo.InvariantCulture),
        "signature" => certificate.SignatureAlgorithm.FriendlyName ?? certificate.SignatureAlgorithm.Value ?? "",
        "subject" => certificate.Subject,
        _ => throw new InvalidOperationException($"no fact `{fact}` of a certificate"),
    };

    static string Days(TimeSpan span) => ((long)Math.Floor(span.TotalDays)).ToString(CultureInfo.InvariantCulture);

    // Elliptic curves count double, so that one limit serves both kinds: 256 bits of a curve are worth more than 2048 of RSA.
    static int KeyBits(X509Certificate2 certificate)
    {
        using var rsa = certificate.GetRSAPublicKey();
        if (rsa is not null) return rsa.KeySize;
        using var ecdsa = certificate.GetECDsaPublicKey();
        return ecdsa is null ? 0 : ecdsa.KeySize * 12;
    }

    static Reading Whole(FactStore facts, string path)
    {
        var read = facts.Files.ReadText(path, 64 << 10);
        return read.State switch
        {
            ReadingState.Present => Reading.Of(read.Text.Trim(), path),
            ReadingState.Absent => Reading.Unreadable(path, "securityfs is not mounted, or the module is not built"),
            _ => Reading.Unreadable(path, read.Reason),
        };
    }
}
