using Xunit;

namespace Talos.Pki.Tests;

/// <summary>Certificates for mail by the S/MIME baseline requirements, §7.1.2.2 and §7.1.2.3.</summary>
public sealed class MailPurposeTests
{
    static readonly Dictionary<string, (Action<TestCertificate> Change, ValidationReason Expected)> s_cases = new()
    {
        ["sound"] = (_ => { }, ValidationReason.Valid),
        ["for agreeing on keys"] = (c => Usage(c, KeyUsages.KeyAgreement), ValidationReason.Valid),
        ["two mailboxes"] = (c => c.SetNames(w => { w.Text(0x81, "other@example.com"); w.Text(0x81, "user@example.com"); }), ValidationReason.Valid),
        ["a client's"] = (c => c.SetPurposes(ObjectIdentifiers.ClientAuth), ValidationReason.KeyPurpose),
        ["a server's too"] = (c => c.SetPurposes(ObjectIdentifiers.EmailProtection, ObjectIdentifiers.ServerAuth), ValidationReason.KeyPurpose),
        ["signs code too"] = (c => c.SetPurposes(ObjectIdentifiers.EmailProtection, ObjectIdentifiers.CodeSigning), ValidationReason.KeyPurpose),
        ["stamps times too"] = (c => c.SetPurposes(ObjectIdentifiers.EmailProtection, ObjectIdentifiers.TimeStamping), ValidationReason.KeyPurpose),
        ["for anything"] = (c => c.SetPurposes(ObjectIdentifiers.EmailProtection, ObjectIdentifiers.AnyExtendedKeyUsage), ValidationReason.InvalidStructure),
        ["no purposes"] = (c => c.Extensions.Remove(ObjectIdentifiers.ExtendedKeyUsage), ValidationReason.InvalidStructure),
        ["no key usage"] = (c => c.Extensions.Remove(ObjectIdentifiers.KeyUsage), ValidationReason.KeyUsage),
        ["key usage not critical"] = (c => c.Set(ObjectIdentifiers.KeyUsage, false, w => w.NamedBits((uint)KeyUsages.DigitalSignature)), ValidationReason.KeyUsage),
        ["signs certificates"] = (c => Usage(c, KeyUsages.DigitalSignature | KeyUsages.KeyCertSign), ValidationReason.InvalidStructure),
        ["another host"] = (c => c.SetNames(w => w.Text(0x81, "user@example.org")), ValidationReason.NameMismatch),
        ["no mailbox"] = (c => c.SetNames(w => w.Text(0x82, "example.com")), ValidationReason.NameMismatch),
    };

    public static TheoryData<string> Cases => [.. s_cases.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Judges_a_person_s_certificate(string name)
    {
        TestCertificate mail = TestCertificate.User();
        mail.Subject = [TestCertificate.Text(ObjectIdentifiers.Organization, "example")];
        mail.SetPurposes(ObjectIdentifiers.EmailProtection);
        mail.SetNames(w => w.Text(0x81, "user@example.com"));
        s_cases[name].Change(mail);
        Assert.Equal(s_cases[name].Expected, PathValidator.Validate(mail.Build(), [], TrustStore.Create(TestCertificate.Authority().Build()), new ValidationOptions
        {
            Time = TestFleet.Now,
            Purpose = ValidationPurpose.Email,
            Policy = ValidationPolicy.Web,
            Identity = IdentityDemand.NotRequired,
            ExpectedName = ExpectedName.Email("user@example.com"),
        }).Reason);
    }

    static void Usage(TestCertificate c, KeyUsages usages) => c.Set(ObjectIdentifiers.KeyUsage, true, w => w.NamedBits((uint)usages));
}
