using Microsoft.Extensions.Logging;
using Talos.Api.Server;
using Talos.Pki;
using Talos.Trustd.Ledger;

namespace Talos.Trustd.Authority;

/// <summary>trustd follows its own authority as every node does, without a network between: it trusts, says so, and renews.</summary>
sealed class OwnTrust(AuthorityKeeper authorities, NodeIdentity identity, ICertificateLedger ledger, ILogger log)
{
    /// <summary>Follows until cancelled; what it begins with is in force when this returns to its caller for the first time.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            // Taken before the state is read, so that a change in between wakes this loop again.
            var (changed, renewed) = (authorities.Changed, identity.Renewed);
            try
            {
                var set = authorities.Current;
                identity.Adopt(set.BundlePem);
                var shown = identity.Slot.Current!;
                var own = Certificate.Parse(shown.Certificate.RawData).Require();
                await ledger.AcknowledgeAsync(own.AlternativeNames.Single(n => n.Kind == NameKinds.Uri).Text, own.Serial, set.BundleDigest, cancellation);
                // At activate another authority signs; at retire the way to it through the one before leads nowhere any more.
                var isCurrent = own.AuthorityKeyIdentifier is { } issuer && issuer.Span.SequenceEqual(set.Signing.Certificate.SubjectKeyIdentifier!.Value.Span)
                    && shown.Intermediates.Count == set.Intermediates.Length && shown.Intermediates.Zip(set.Intermediates).All(pair => pair.First.Span.SequenceEqual(pair.Second.Span));
                if (!isCurrent) identity.RenewWithin(TimeSpan.Zero);
            }
            catch (Exception e) when (e is LedgerException or IOException or EnrollmentException)
            {
                log.LogError("trustd cannot follow its own authority: {Reason}", e.Message);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            await ((Task)Task.WhenAny(changed, renewed)).WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
