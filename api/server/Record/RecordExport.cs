using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Talos.Api.Configuration;
using Talos.Audit;

namespace Talos.Api.Server;

/// <summary>One exporter of a service, kept running.</summary>
sealed class RecordExport
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    // LIMIT: a file of an exporter on a node, and one older beside it.
    const long MaxFileBytes = 64 << 20;

    readonly AuditLog record;
    readonly AuditExporterSection settings;
    readonly AuditFormat format;
    readonly AuditFilter filter;
    readonly string folder;
    readonly TrustSlot own;
    readonly TimeProvider time;
    readonly ILogger log;
    volatile AuditExporter? exporter;
    volatile ExportCursor? cursor;
    string fault = "";

    public RecordExport(AuditLog record, AuditExporterSection settings, string folder, TrustSlot own, TimeProvider time, ILogger log)
    {
        (this.record, this.settings, this.folder, this.own, this.time, this.log) = (record, settings, folder, own, time, log);
        if (!AuditFormats.TryParse(settings.Format, out format))
            throw new InvalidDataException($"exporter `{settings.Name}`: `{settings.Format}` is no format");
        if (!AuditFilter.TryParse(settings.Where, time, out var parsed, out var error))
            throw new InvalidDataException($"exporter `{settings.Name}`: {error}");
        filter = parsed;
    }

    /// <summary>The first entry that has to stay for this exporter. Before the cursor could be read, everything.</summary>
    public ulong Delivered => cursor?.Next ?? 0;

    public ExporterState State => new(
        settings.Name, settings.To.ToString(), Delivered, exporter?.Lag ?? (long)record.Size, exporter?.Failures ?? 0, exporter?.Missed ?? 0,
        exporter?.LastError?.Message ?? Volatile.Read(ref fault));

    public async Task RunAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                await DeliverAsync(cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }
            // A disk without room, a damaged cursor, a bundle that cannot be read: said, and tried again.
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or AuditLogException or System.Security.Cryptography.CryptographicException)
            {
                Volatile.Write(ref fault, e.Message);
                exporter = null;
                log.LogError("exporter {Name}: {Reason}", settings.Name, e.Message);
            }
            await Task.Delay(Pause, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    async Task DeliverAsync(CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var at = cursor = new ExportCursor(Path.Combine(folder, settings.Name + ".cursor"));
        await using var sink = MakeSink();
        using var running = new AuditExporter(record, sink, at, new AuditExporterOptions { Filter = filter, TimeProvider = time });
        exporter = running;
        log.LogInformation("exporter {Name} delivers to {Target} from entry {Next} on", settings.Name, settings.To, at.Next);
        await running.RunAsync(cancellation).ConfigureAwait(false);
    }

    AuditSink MakeSink()
    {
        if (settings.To.Endpoint is not { } endpoint) return new FileSink(Path.Combine(folder, settings.To.FileName), format, MaxFileBytes);
        var tls = settings.CaBundle is { } roots ? Tls(endpoint.Host, roots) : null;
        if (settings.To.Scheme is "tls" or "tcp") return new SyslogSink(endpoint.Host, endpoint.Port, tls, time, format);
        var handler = new SocketsHttpHandler { UseProxy = false };
        if (tls is not null) handler.SslOptions = tls;
        return new OtlpSink(new Uri(settings.To.ToString()), handler);
    }

    SslClientAuthenticationOptions Tls(string host, string roots)
    {
        var chain = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        chain.CustomTrustStore.ImportFromPem(roots);
        return new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            TargetHost = host,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = chain,
            // RFC 5425 §4.2: receivers may want to know who sends. Taken anew with each connection, since it is renewed.
            LocalCertificateSelectionCallback = (_, _, _, _, _) => own.Current?.Certificate!,
        };
    }
}
