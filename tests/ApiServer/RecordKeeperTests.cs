using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Talos.Api.Configuration;
using Talos.Audit;
using Xunit;

namespace Talos.Api.Server.Tests;

/// <summary>Exporters and retention as a service runs them, against a receiver that speaks the real protocol.</summary>
public sealed class RecordKeeperTests : IAsyncLifetime
{
    readonly string folder = Directory.CreateTempSubdirectory("talos-keeper-").FullName;
    readonly FakeTimeProvider time = new(DateTimeOffset.UtcNow);
    readonly CancellationTokenSource stop = new();
    readonly TestAuthority authority = new();
    readonly TrustSlot own = new();
    readonly Ed25519CheckpointSigner signer = Ed25519CheckpointSigner.Create("demo/cp-1/osd");
    AuditLog record = null!;

    public ValueTask InitializeAsync()
    {
        record = AuditLog.Open(Path.Combine(folder, "audit"), new AuditLogOptions { Signer = signer, Node = "cp-1", TimeProvider = time });
        own.Set(authority.Node("cp-1"));
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await record.DisposeAsync();
        signer.Dispose();
        authority.Dispose();
        stop.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    RecordKeeper Keeper(AuditSection settings) => new(record, settings, folder, own, time, NullLogger.Instance);

    static AuditSection Export(string to, string format, string? caBundle = null, params string[] where)
    {
        var caLines = caBundle is null ? "" : "      caBundle: |\n" + string.Concat(caBundle.Trim().Split('\n').Select(line => $"        {line}\n"));
        var text = $"version: v1alpha1\ncluster: demo\nmachine: {{ type: controlplane, hostname: cp-1 }}\naudit:\n  exporters:\n    - name: siem\n"
            + $"      to: \"{to}\"\n      format: {format}\n{caLines}      where: [{string.Join(", ", where.Select(w => $"\"{w}\""))}]\n";
        return MachineConfiguration.Parse(text, "machine.yaml").RequireValue().Audit;
    }

    async Task AppendAsync(int count)
    {
        for (var i = 0; i < count; i++)
            await record.AppendAsync(AuditEvents.ServiceChanged("x", i % 2 == 0 ? "failed" : "running", $"number {i}"), TestContext.Current.CancellationToken);
    }

    // Lets the keeper's time pass until it has got there.
    async Task UntilAsync(Func<bool> reached)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!reached())
        {
            patience.Token.ThrowIfCancellationRequested();
            time.Advance(TimeSpan.FromSeconds(1));
            // The other side is real: it gets real time for each second of the keeper's.
            await Task.Delay(2, patience.Token);
        }
    }

    [Fact]
    public async Task Delivers_over_TLS_to_a_receiver_of_the_configured_authority_and_shows_who_it_is()
    {
        using var theirs = new TestAuthority("elsewhere");
        await using var receiver = new Receiver(theirs.Node("siem").Certificate);
        var keeper = Keeper(Export($"tls://127.0.0.1:{receiver.Port}", "syslog", theirs.BundlePem));
        await AppendAsync(300);

        var running = keeper.RunAsync(stop.Token);
        await UntilAsync(() => keeper.Exporters[0].Lag == 0);

        Assert.Equal(300, receiver.Indexes.Distinct().Count());
        Assert.Contains("CN=cp-1", receiver.ClientSubjects.Distinct().Single(), StringComparison.Ordinal);
        Assert.Equal(("siem", $"tls://127.0.0.1:{receiver.Port}", 300UL, 0UL, ""),
            (keeper.Exporters[0].Name, keeper.Exporters[0].Target, keeper.Exporters[0].Delivered, keeper.Exporters[0].Missed, keeper.Exporters[0].LastError));
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Rejects_a_receiver_of_another_authority_and_says_so()
    {
        using var theirs = new TestAuthority("elsewhere");
        await using var receiver = new Receiver(theirs.Node("siem").Certificate);
        var keeper = Keeper(Export($"tls://127.0.0.1:{receiver.Port}", "cef", authority.BundlePem));
        await AppendAsync(3);

        var running = keeper.RunAsync(stop.Token);
        await UntilAsync(() => keeper.Exporters[0].Failures >= 2);

        Assert.Equal("", receiver.Text);
        Assert.Equal((0UL, 3L), (keeper.Exporters[0].Delivered, keeper.Exporters[0].Lag));
        Assert.NotEqual("", keeper.Exporters[0].LastError);
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Goes_on_behind_its_cursor_after_a_restart_and_leaves_out_what_does_not_fit()
    {
        var settings = Export("file:audit.jsonl", "jsonl", null, "kind=service");
        for (var round = 0; round < 2; round++)
        {
            await AppendAsync(5);
            await record.AppendAsync(AuditEvents.Shutdown(), TestContext.Current.CancellationToken);
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
            var keeper = Keeper(settings);
            var running = keeper.RunAsync(ending.Token);
            await UntilAsync(() => keeper.Exporters[0].Lag == 0);
            await ending.CancelAsync();
            await running;
        }
        var lines = await File.ReadAllLinesAsync(Path.Combine(folder, "export", "audit.jsonl"), TestContext.Current.CancellationToken);
        Assert.Equal([0, 1, 2, 3, 4, 6, 7, 8, 9, 10], lines.Select(line => (int)System.Text.Json.Nodes.JsonNode.Parse(line)!["index"]!));
    }

    [Fact]
    public async Task Removes_old_entries_only_once_they_were_delivered()
    {
        await AppendAsync(600);
        time.Advance(TimeSpan.FromDays(2));
        var absent = new TcpListener(IPAddress.Loopback, 0);
        absent.Start();
        var port = ((IPEndPoint)absent.LocalEndpoint).Port;
        absent.Stop();
        var settings = new AuditSection { MaxAge = TimeSpan.FromDays(1), Exporters = Export($"tcp://127.0.0.1:{port}", "syslog").Exporters };
        var keeper = Keeper(settings);
        var running = keeper.RunAsync(stop.Token);
        // Long enough for several rounds of retention.
        var until = time.GetUtcNow() + TimeSpan.FromMinutes(25);
        await UntilAsync(() => keeper.Exporters[0].Failures > 0 && time.GetUtcNow() > until);
        Assert.Equal(0UL, record.FirstIndex);

        await using var receiver = new Receiver(null, port);
        await UntilAsync(() => record.FirstIndex != 0);

        Assert.Equal(512UL, record.FirstIndex);
        Assert.Equal(600, receiver.Indexes.Where(index => index < 600).Distinct().Count());
        await stop.CancelAsync();
        await running;
    }

    /// <summary>Reads each connection to its end and closes its own side then, as a syslog daemon does.</summary>
    sealed class Receiver : IAsyncDisposable
    {
        readonly TcpListener listener;
        readonly X509Certificate2? certificate;
        readonly StringBuilder text = new();
        readonly List<string?> subjects = [];
        readonly Task accepting;

        public Receiver(X509Certificate2? certificate, int port = 0)
        {
            this.certificate = certificate;
            listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            accepting = AcceptAsync();
        }

        public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

        public string Text
        {
            get { lock (text) return text.ToString(); }
        }

        // At least once: what was sent when the sender lost its patience comes again.
        public IEnumerable<int> Indexes =>
            Text.Split("[talos@32473 index=\"").Skip(1).Select(t => int.Parse(t[..t.IndexOf('"', StringComparison.Ordinal)], System.Globalization.CultureInfo.InvariantCulture));

        public IReadOnlyList<string?> ClientSubjects
        {
            get { lock (text) return [.. subjects]; }
        }

        async Task AcceptAsync()
        {
            while (true)
            {
                TcpClient client;
                try
                {
                    client = await listener.AcceptTcpClientAsync();
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
                {
                    return;
                }
                using (client)
                {
                    try
                    {
                        await ReadAsync(client.GetStream());
                    }
                    catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
                    {
                        // A sender that does not believe this receiver.
                    }
                }
            }
        }

        async Task ReadAsync(Stream stream)
        {
            string? subject = null;
            if (certificate is not null)
            {
                var tls = new SslStream(stream, false, (_, shown, _, _) => (subject = shown?.Subject) is not null);
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate, ClientCertificateRequired = true });
                stream = tls;
            }
            using var reader = new StreamReader(stream, Encoding.UTF8);
            var all = await reader.ReadToEndAsync();
            lock (text)
            {
                text.Append(all);
                subjects.Add(subject);
            }
        }

        public async ValueTask DisposeAsync()
        {
            listener.Stop();
            await accepting;
        }
    }
}
