using Talos.Api.Configuration;
using Xunit;

namespace Talos.Api.Tests;

public sealed class AuditSectionTests
{
    const string Document = """
        version: v1alpha1
        cluster: demo
        machine: { type: controlplane, hostname: cp-1 }
        audit:
          retention: { maxAge: 90d, maxSize: 2GiB }
          exporters:
            - name: siem
              to: tls://siem.example:6514
              format: cef
              caBundle: |
                -----BEGIN CERTIFICATE-----
                AAAA
                -----END CERTIFICATE-----
              where: ["decision=deny"]
            - { name: local, to: "file:audit.jsonl", format: jsonl }
            - { name: collector, to: "http://[fd00::1]:4317", format: otlp }
          witnesses: [10.0.0.11:50000, worker-2:50000]
        """;

    [Fact]
    public void Accepts_every_field_and_writes_what_it_reads()
    {
        var audit = MachineConfiguration.Parse(Document, "machine.yaml").RequireValue().Audit;

        Assert.Equal((TimeSpan.FromDays(90), 2L << 30), (audit.MaxAge, audit.MaxBytes));
        Assert.Equal(["siem", "local", "collector"], audit.Exporters.Select(e => e.Name));
        Assert.Equal(("siem.example", 6514, "cef"), (audit.Exporters[0].To.Endpoint!.Host, audit.Exporters[0].To.Endpoint!.Port, audit.Exporters[0].Format));
        Assert.Equal(["decision=deny"], audit.Exporters[0].Where);
        Assert.Equal(new Endpoint("worker-2", 50000), audit.Witnesses[1]);

        var written = MachineConfiguration.Parse(Document, "machine.yaml").RequireValue().ToYaml();
        Assert.Equal(written, MachineConfiguration.Parse(written, "machine.yaml").RequireValue().ToYaml());
        Assert.Equal(audit.MaxAge, MachineConfiguration.Parse(written, "machine.yaml").RequireValue().Audit.MaxAge);
    }

    [Theory]
    [InlineData("retention: { maxAge: 90 }", "expected a length of time as in `36h` or `90d` in `audit.retention.maxAge`")]
    [InlineData("retention: { maxAge: 0d }", "expected a length of time")]
    [InlineData("retention: { maxSize: 2GB }", "expected a size as in `512MiB` or `2GiB`")]
    [InlineData("exporters: [{ name: a, to: \"tls://h:1\", format: syslog }]", "`tls` needs `caBundle`")]
    [InlineData("exporters: [{ name: a, to: \"tcp://h:1\", format: otlp }]", "`tcp` does not carry `otlp`")]
    [InlineData("exporters: [{ name: a, to: \"http://h:1\", format: ocsf }]", "`http` does not carry `ocsf`")]
    [InlineData("exporters: [{ name: a, to: \"udp://h:1\", format: syslog }]", "expected `tls://HOST:PORT`")]
    [InlineData("exporters: [{ name: a, to: \"tcp://h\", format: syslog }]", "expected `tls://HOST:PORT`")]
    [InlineData("exporters: [{ name: a, to: \"tcp://user:secret@h:1\", format: syslog }]", "expected `tls://HOST:PORT`")]
    [InlineData("exporters: [{ name: a, to: \"file:../../etc/passwd\", format: jsonl }]", "expected `tls://HOST:PORT`")]
    [InlineData("exporters: [{ name: a, to: \"file:///etc/passwd\", format: jsonl }]", "expected `tls://HOST:PORT`")]
    [InlineData("exporters: [{ name: ../a, to: \"tcp://h:1\", format: syslog }]", "expected a name of lower-case letters, digits and dashes")]
    [InlineData("exporters: [{ name: a, to: \"tcp://h:1\", format: cef }, { name: a, to: \"tcp://h:2\", format: cef }]", "exporter `a` is given twice")]
    [InlineData("witnesses: [10.0.0.1]", "expected an address as in `10.0.2.2:50001`")]
    public void Rejects_what_would_not_work_on_the_node(string line, string expected)
    {
        var text = $"version: v1alpha1\ncluster: demo\nmachine: {{ type: controlplane, hostname: cp-1 }}\naudit:\n  {line}\n";

        Assert.False(MachineConfiguration.Parse(text, "machine.yaml").TryGet(out _, out var errors));
        Assert.Contains(expected, errors.ToString(), StringComparison.Ordinal);
    }
}
