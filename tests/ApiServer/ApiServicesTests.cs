using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Talos.Api.Approval.V1;
using Talos.Api.Audit.V1;
using Talos.Api.Compliance.V1;
using Talos.Api.Hosting;
using Talos.Api.Machine.V1;
using Talos.Api.Policy.V1;
using Talos.Api.Relay.V1;
using Talos.Api.Trust.V1;
using Talos.Api.Witness.V1;
using Xunit;

namespace Talos.Api.Server.Tests;

/// <summary>A method that a contract promises and nobody named for the host would be refused as unknown.</summary>
public sealed class ApiServicesTests
{
    [Fact]
    public void Accepts_every_method_of_every_contract_by_its_name_and_kind()
    {
        Google.Protobuf.Reflection.ServiceDescriptor[] contracts =
        [
            ApprovalService.Descriptor, AuditService.Descriptor, ComplianceService.Descriptor, MachineService.Descriptor, PolicyService.Descriptor,
            RelayService.Descriptor, TrustService.Descriptor, WitnessService.Descriptor,
        ];
        var services = new ApiServices()
            .Add(new Approvals()).Add(new Audits()).Add(new Compliances()).Add(new Machines()).Add(new Policies()).Add(new Relays()).Add(new Trusts()).Add(new Witnesses());
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc(options => options.IgnoreUnknownServices = true);
        services.Register(builder.Services);
        using var application = (IDisposable)builder.Build();
        services.Map((IEndpointRouteBuilder)application);

        var mapped = ((IEndpointRouteBuilder)application).DataSources.SelectMany(source => source.Endpoints)
            .Select(endpoint => endpoint.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method).OfType<IMethod>()
            .Select(method => $"{method.Type} {method.FullName}").Order(StringComparer.Ordinal);

        Assert.Equal(
            contracts.SelectMany(contract => contract.Methods)
                .Select(method => $"{KindOf(method)} /{method.Service.FullName}/{method.Name}")
                .Order(StringComparer.Ordinal),
            mapped);
    }

    static MethodType KindOf(Google.Protobuf.Reflection.MethodDescriptor method) => (method.IsClientStreaming, method.IsServerStreaming) switch
    {
        (false, false) => MethodType.Unary,
        (false, true) => MethodType.ServerStreaming,
        (true, false) => MethodType.ClientStreaming,
        (true, true) => MethodType.DuplexStreaming,
    };

    sealed class Approvals : ApprovalService.ApprovalServiceBase;

    sealed class Audits : AuditService.AuditServiceBase;

    sealed class Compliances : ComplianceService.ComplianceServiceBase;

    sealed class Machines : MachineService.MachineServiceBase;

    sealed class Policies : PolicyService.PolicyServiceBase;

    sealed class Relays : RelayService.RelayServiceBase;

    sealed class Trusts : TrustService.TrustServiceBase;

    sealed class Witnesses : WitnessService.WitnessServiceBase;
}
