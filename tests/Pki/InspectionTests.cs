using Xunit;

namespace Talos.Pki.Tests;

public sealed class InspectionTests
{
    [Fact]
    public void Shows_a_certificate_for_people()
    {
        using var fleet = new TestFleet();
        Certificate node = fleet.Issue(CertificateProfile.Node, TestFleet.NodeGrant);
        string text = CertificateInspection.Of(node).ToText(TestFleet.Now);
        string[] expected =
        [
            "subject         O=os:node, CN=node-1",
            "identity        spiffe://alpha.example/node/node-1",
            "roles           os:node",
            "not after       2030-01-03 03:04:04Z (23 h 59 min left)",
            "key             ECDSA P-256",
            "signed with     EcdsaSha256",
            "authority       no",
            "usage           DigitalSignature",
            "purposes        server, client",
            "name            DNS:node-1.alpha.example",
            "name            IP:10.0.0.7",
            $"serial          {node.Serial}",
            $"sha256          {node.Fingerprint}",
        ];
        Assert.Empty(expected.Except(text.Split('\n')));
        Assert.Contains("path length 1", CertificateInspection.Of(fleet.Authority.Certificate).ToText(TestFleet.Now), StringComparison.Ordinal);
        Assert.Contains("(expired)", CertificateInspection.Of(node).ToText(TestFleet.Now.AddDays(2)), StringComparison.Ordinal);
    }
}
