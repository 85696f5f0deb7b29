namespace Talos.Pki;

/// <summary>Which certificates a lint speaks about.</summary>
enum LintTarget
{
    Every = 0,
    Leaf,
    Authority,
}

/// <summary>What lint holds a certificate against: its profile and its issuer (null for a self-signed root).</summary>
sealed record LintScope(CertificateProfile Profile, Certificate? Issuer)
{
    public static LintScope For(CertificateProfile profile, Certificate? issuer = null) => new(profile, issuer);
}

/// <summary>One rule: where it is written, and a check that answers with what is wrong, or null.</summary>
sealed record CertificateLint(string Id, string Citation, LintTarget Target, Func<Certificate, LintScope, string?> Check);

/// <summary>A rule that a certificate breaks.</summary>
sealed record LintFinding(CertificateLint Lint, string Message)
{
    public PkiFailure ToFailure() => new(PkiReason.LintFailed, $"lint `{Lint.Id}` ({Lint.Citation}): {Message}");
}

static partial class CertificateLints
{
    /// <summary>Every rule of <see cref="Table"/> that <paramref name="certificate"/> breaks, in the table's order.</summary>
    public static List<LintFinding> Run(Certificate certificate, LintScope scope)
    {
        var findings = new List<LintFinding>();
        foreach (CertificateLint lint in Table)
        {
            bool applies = lint.Target switch
            {
                LintTarget.Every => true,
                LintTarget.Leaf => !scope.Profile.IsAuthority,
                LintTarget.Authority => scope.Profile.IsAuthority,
            };
            if (applies && lint.Check(certificate, scope) is { } message)
                findings.Add(new LintFinding(lint, message));
        }

        return findings;
    }
}
