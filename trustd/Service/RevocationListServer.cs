using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Talos.Api.Configuration;
using Talos.Pki;

namespace Talos.Trustd.Service;

/// <summary>
/// Serves the revocation lists that certificates name, over plain HTTP as RFC 5280 §4.2.1.13 has it: lists are signed and public, and fetching them over
/// TLS could need the list itself. GET and HEAD of exactly those names, out of memory; nothing a caller sends reaches the file system or the ledger.
/// </summary>
sealed class RevocationListServer : IAsyncDisposable
{
    // LIMIT: verifiers that fetch at once; each holds a few kilobytes, for seconds.
    const int MaxConnections = 256;

    // LIMIT: no request here has a body or more than a few lines.
    const int MaxHeaderBytes = 4096;

    // How long a cache between may hold a list: revocation is to be seen soon, and a thousand verifiers must not ask a thousand times.
    static readonly TimeSpan Freshness = TimeSpan.FromMinutes(5);

    readonly WebApplication application;
    readonly RevocationFeed feed;
    readonly TimeProvider time;
    readonly string folder;

    RevocationListServer(WebApplication application, RevocationFeed feed, TimeProvider time, string folder)
    {
        this.application = application;
        this.feed = feed;
        this.time = time;
        this.folder = folder;
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Endpoint =>
        IPEndPoint.Parse(new Uri(application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Authority);

    /// <summary>Starts to listen; null when the configuration does not ask for it.</summary>
    /// <exception cref="IOException">The address cannot be listened on.</exception>
    public static async Task<RevocationListServer?> StartAsync(
        RevocationListSection? lists, RevocationFeed feed, TimeProvider time, ILoggerProvider log, CancellationToken cancellation)
    {
        if (lists?.Listen is not { } listen) return null;
        var address = listen.Address ?? throw new IOException($"`{listen.Host}` is no address to serve revocation lists on");
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddProvider(log);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = MaxConnections;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Limits.MaxRequestLineSize = MaxHeaderBytes;
            kestrel.Limits.MaxRequestHeadersTotalSize = MaxHeaderBytes;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(10);
            kestrel.Listen(new IPEndPoint(address, listen.Port), listener => listener.Protocols = HttpProtocols.Http1);
        });
        var application = builder.Build();
        var server = new RevocationListServer(application, feed, time, new Uri(lists.Url).AbsolutePath.TrimEnd('/'));
        application.Run(server.AnswerAsync);
        await application.StartAsync(cancellation);
        return server;
    }

    public ValueTask DisposeAsync() => application.DisposeAsync();

    Task AnswerAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
        {
            response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            response.Headers.Allow = "GET, HEAD";
            return Task.CompletedTask;
        }
        if (Find(request.Path) is not { } list)
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }
        var left = (list.NextUpdate ?? list.ThisUpdate) - time.GetUtcNow();
        var age = left < Freshness ? left : Freshness;
        var tag = $"\"{Convert.ToHexStringLower(SHA256.HashData(list.Der.Span).AsSpan(0, 16))}\"";
        response.Headers.ETag = tag;
        response.Headers.LastModified = list.ThisUpdate.ToString("R", CultureInfo.InvariantCulture);
        response.Headers.CacheControl = $"public, max-age={Math.Max(0, (long)age.TotalSeconds)}";
        if (request.Headers.IfNoneMatch.Contains(tag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }
        // RFC 2585 §4.2.
        response.ContentType = "application/pkix-crl";
        response.ContentLength = list.Der.Length;
        return HttpMethods.IsHead(request.Method) ? Task.CompletedTask : response.Body.WriteAsync(list.Der, context.RequestAborted).AsTask();
    }

    // The names that certificates and the lists themselves carry, and no others.
    CertificateRevocationList? Find(PathString path)
    {
        if (path.Value is not { } name || !name.StartsWith(folder, StringComparison.Ordinal)) return null;
        foreach (var listing in feed.Lists)
        {
            if (name.AsSpan(folder.Length).SequenceEqual($"/{listing.Issuer}/{listing.Shard}.crl")) return listing.Complete;
            if (name.AsSpan(folder.Length).SequenceEqual($"/{listing.Issuer}/{listing.Shard}-delta.crl")) return listing.Delta;
        }
        return null;
    }
}
