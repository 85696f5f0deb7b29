using Talos.Linux.Confinement;
using static Talos.Linux.Native.CallNumber;

namespace Talos.Linux.Tests;

/// <summary>Runs assembled programs in an interpreter of the few instructions they use.</summary>
public sealed class SeccompFilterTests
{
    const uint X64 = 0xC000003E, Killed = 0x80000000, Allowed = 0x7fff0000, Refused = 0x00050001, Missing = 0x00050026;

    static readonly SeccompFilter.Instruction[] Service = SeccompFilter.Assemble(SeccompProfile.Service.Rules, SeccompAction.Refuse);
    static readonly SeccompFilter.Instruction[] Machined = SeccompFilter.Assemble(SeccompProfile.Machined.Rules, SeccompAction.Refuse);

    [Fact]
    public void Kills_calls_of_another_architecture()
    {
        Assert.Equal(Killed, Run(Service, read, architecture: 0x40000003));
        Assert.Equal(Killed, Run(Service, read | 0x40000000));
    }

    [Theory]
    [InlineData(read, Allowed)]
    [InlineData(futex, Allowed)]
    [InlineData(execve, Allowed)]
    [InlineData(ptrace, Killed)]
    [InlineData(bpf, Killed)]
    [InlineData(mount, Killed)]
    [InlineData(clone3, Missing)]
    [InlineData(4000, Refused)]
    public void Decides_by_number(int call, uint decision) => Assert.Equal(decision, Run(Service, call));

    [Theory]
    [InlineData(mount, Allowed)]
    [InlineData(sethostname, Allowed)]
    [InlineData(reboot, Killed)]
    [InlineData(init_module, Killed)]
    public void Decides_for_machined(int call, uint decision) => Assert.Equal(decision, Run(Machined, call));

    [Theory]
    [InlineData(0x00010f00u, Allowed)]
    [InlineData(0x10000000u, Refused)]
    [InlineData(0x00020000u, Refused)]
    public void Refuses_new_namespaces(uint flags, uint decision) => Assert.Equal(decision, Run(Service, clone, arguments: [flags]));

    [Theory]
    [InlineData(1u, Allowed)]
    [InlineData(3u, Allowed)]
    [InlineData(5u, Allowed)]
    [InlineData(6u, Refused)]
    [InlineData(7u, Refused)]
    public void Refuses_memory_that_is_writable_and_executable(uint protection, uint decision)
    {
        Assert.Equal(decision, Run(Service, mmap, arguments: [0, 0, protection]));
        Assert.Equal(decision, Run(Service, mprotect, arguments: [0, 0, protection]));
    }

    [Theory]
    [InlineData(2u, Allowed, Allowed)]
    [InlineData(16u, Allowed, Allowed)]
    [InlineData(17u, Refused, Allowed)]
    [InlineData(40u, Refused, Refused)]
    public void Refuses_other_socket_families(uint family, uint service, uint machined)
    {
        Assert.Equal(service, Run(Service, socket, arguments: [family]));
        Assert.Equal(machined, Run(Machined, socket, arguments: [family]));
    }

    [Fact]
    public void Names_each_call_in_one_row_only()
    {
        foreach (var profile in new[] { SeccompProfile.Service, SeccompProfile.Machined })
            Assert.Equal(profile.Rules.Count, profile.Rules.DistinctBy(rule => rule.Call).Count());
    }

    static uint Run(SeccompFilter.Instruction[] program, int call, uint architecture = X64, params uint[] arguments)
    {
        var data = new uint[16];
        (data[0], data[1]) = ((uint)call, architecture);
        for (var i = 0; i < arguments.Length; i++)
            data[4 + 2 * i] = arguments[i];
        uint accumulator = 0;
        for (var at = 0; ; at++)
        {
            var instruction = program[at];
            switch (instruction.Code)
            {
                case 0x20:
                    accumulator = data[instruction.Value / 4];
                    break;
                case 0x54:
                    accumulator &= instruction.Value;
                    break;
                case 0x15:
                    at += accumulator == instruction.Value ? instruction.JumpTrue : instruction.JumpFalse;
                    break;
                case 0x35:
                    at += accumulator >= instruction.Value ? instruction.JumpTrue : instruction.JumpFalse;
                    break;
                case 0x06:
                    return instruction.Value;
                default:
                    throw new InvalidOperationException($"instruction {instruction.Code:x}");
            }
        }
    }
}
