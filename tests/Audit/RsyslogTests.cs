using System.Diagnostics;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Xunit;

namespace Talos.Audit.Tests;

// Debian's rsyslog as the receiver: RFC 5424 over TLS, through a restart of its own.
public sealed class RsyslogTests : IDisposable
{
    const string Program = "/usr/sbin/rsyslogd";

    readonly LogFolder _folder = new();
    Process? _rsyslog;

    public void Dispose()
    {
        _rsyslog?.Kill();
        _rsyslog?.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Survives_a_restart_of_the_receiver_without_a_missing_message(bool tls)
    {
        Assert.SkipUnless(File.Exists(Program), "SKIPPED: rsyslog is not installed (apt-get install rsyslog rsyslog-openssl)");
        Assert.SkipUnless(!tls || Directory.GetDirectories("/usr/lib", "*-linux-gnu").Any(static d => File.Exists(Path.Combine(d, "rsyslog/lmnsd_ossl.so"))), "SKIPPED: rsyslog-openssl is not installed");
        X509Certificate2 ca = MakeCertificates();
        int port = Start(tls, 0);

        await using AuditLog log = _folder.Open();
        SslClientAuthenticationOptions options = new()
        {
            TargetHost = "localhost",
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { ca },
                RevocationMode = X509RevocationMode.NoCheck,
            },
        };
        await using SyslogSink sink = new("localhost", port, tls ? options : null, TimeProvider.System);
        using AuditExporter exporter = new(log, sink, new ExportCursor(Path.Combine(_folder.Path, "cursor")), new AuditExporterOptions
        {
            CommitEntries = 300,
            CommitInterval = TimeSpan.FromMilliseconds(50),
            MinBackoff = TimeSpan.FromMilliseconds(20),
            MaxBackoff = TimeSpan.FromMilliseconds(100),
        });
        using CancellationTokenSource stop = new();
        Task run = exporter.RunAsync(stop.Token);
        int written = 0;
        for (int phase = 0; phase < 4; phase++)
        {
            for (int i = 0; i < 1000; i++) await log.AppendAsync(LogFolder.Opened(written++));
            // In the midst of delivery, and once more while entries pile up.
            if (phase is not (0 or 2)) continue;
            StopReceiver();
            for (int i = 0; i < 500; i++) await log.AppendAsync(LogFolder.Opened(written++));
            Start(tls, port);
        }
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(120));
        while (exporter.Lag != 0)
        {
            Assert.False(run.IsCompleted, run.Exception?.ToString());
            Assert.False(patience.IsCancellationRequested, $"still {exporter.Lag} behind after {exporter.Failures} failures: {exporter.LastError}");
            await Task.Delay(5, patience.Token);
        }
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        StopReceiver();

        HashSet<ulong> received = [];
        foreach (string line in File.ReadLines(Path.Combine(_folder.Path, "received")))
        {
            using JsonDocument json = JsonDocument.Parse(line[line.IndexOf("] {", StringComparison.Ordinal)..][2..]);
            received.Add(json.RootElement.GetProperty("index").GetUInt64());
        }
        Assert.Equal((int)log.Size, received.Count);
        Assert.Equal(log.Size - 1, received.Max());
    }

    int Start(bool tls, int port)
    {
        string path = _folder.Path, config = Path.Combine(path, "rsyslog.conf"), portFile = Path.Combine(path, "port");
        File.Delete(portFile);
        string driver = tls ? "StreamDriver.Name=\"ossl\" StreamDriver.Mode=\"1\" StreamDriver.AuthMode=\"anon\"" : "";
        string global = tls
            ? $"defaultNetstreamDriver=\"ossl\" defaultNetstreamDriverCAFile=\"{path}/ca.pem\" defaultNetstreamDriverCertFile=\"{path}/cert.pem\" defaultNetstreamDriverKeyFile=\"{path}/key.pem\""
            : "";
        File.WriteAllText(config, $"""
            global(workDirectory="{path}" maxMessageSize="64k" {global})
            module(load="imtcp" {driver})
            input(type="imtcp" address="127.0.0.1" port="{port}" listenPortFileName="{portFile}")
            template(name="raw" type="string" string="%rawmsg%\n")
            action(type="omfile" file="{path}/received" template="raw")

            """);
        ProcessStartInfo start = new(Program) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (string argument in (string[])["-n", "-f", config, "-i", Path.Combine(path, "pid")]) start.ArgumentList.Add(argument);
        _rsyslog = Process.Start(start)!;
        // It names the port only when it chose it itself; the exporter finds out by itself when a known port answers again.
        if (port != 0) return port;
        while (!File.Exists(portFile) || File.ReadAllText(portFile).Length == 0)
        {
            Assert.False(_rsyslog.HasExited, _rsyslog.HasExited ? _rsyslog.StandardError.ReadToEnd() : "");
            Thread.Yield();
        }
        return int.Parse(File.ReadAllText(portFile), System.Globalization.CultureInfo.InvariantCulture);
    }

    // SIGTERM: rsyslog writes what it has queued and ends.
    void StopReceiver()
    {
        using Process kill = Process.Start("kill", ["-TERM", _rsyslog!.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        _rsyslog.WaitForExit();
        _rsyslog.Dispose();
        _rsyslog = null;
    }

    X509Certificate2 MakeCertificates()
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using ECDsa caKey = ECDsa.Create(ECCurve.NamedCurves.nistP256), key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest caRequest = new("CN=test CA", caKey, HashAlgorithmName.SHA256);
        caRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        X509Certificate2 ca = caRequest.CreateSelfSigned(now.AddMinutes(-5), now.AddDays(1));
        CertificateRequest request = new("CN=localhost", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.Create(ca, now.AddMinutes(-4), now.AddHours(20), [1, 2, 3]);
        File.WriteAllText(Path.Combine(_folder.Path, "ca.pem"), ca.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder.Path, "cert.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder.Path, "key.pem"), key.ExportPkcs8PrivateKeyPem());
        return ca;
    }
}
