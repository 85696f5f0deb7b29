using Talos.Linux.Native;

namespace Talos.Linux.Confinement;

/// <summary>
/// A classic BPF program over <c>struct seccomp_data</c>: <c>u32 nr; u32 arch; u64 instruction_pointer; u64 args[6]</c>.
/// </summary>
static unsafe class SeccompFilter
{
    // linux/bpf_common.h
    const ushort LoadWord = 0x20, And = 0x54, JumpIfEqual = 0x15, JumpIfGreaterOrEqual = 0x35, Return = 0x06;
    // linux/seccomp.h
    const uint ReturnAllow = 0x7fff0000, ReturnErrno = 0x00050000, ReturnKillProcess = 0x80000000;
    const nint SetModeFilter = 1;
    // linux/audit.h: AUDIT_ARCH_X86_64; asm/unistd.h: __X32_SYSCALL_BIT
    const uint ArchitectureX64 = 0xC000003E, X32Bit = 0x40000000;
    // LIMIT: linux/bpf_common.h BPF_MAXINSNS.
    const int InstructionsMaximum = 4096;

    internal readonly record struct Instruction(ushort Code, byte JumpTrue, byte JumpFalse, uint Value)
    {
        internal ulong Pack() => Code | (ulong)JumpTrue << 16 | (ulong)JumpFalse << 24 | (ulong)Value << 32;
    }

    /// <summary>Assembles the program. A call that no rule names meets <paramref name="otherwise"/>.</summary>
    internal static Instruction[] Assemble(IReadOnlyList<SeccompRule> rules, SeccompAction otherwise)
    {
        var program = new List<Instruction>
        {
            // A 32-bit or x32 call has other numbers: never ours.
            new(LoadWord, 0, 0, 4),
            new(JumpIfEqual, 1, 0, ArchitectureX64),
            new(Return, 0, 0, ReturnKillProcess),
            new(LoadWord, 0, 0, 0),
            new(JumpIfGreaterOrEqual, 0, 1, X32Bit),
            new(Return, 0, 0, ReturnKillProcess),
        };
        foreach (var rule in rules)
        {
            var body = Body(rule);
            program.Add(new Instruction(JumpIfEqual, 0, checked((byte)body.Count), (uint)rule.Call));
            program.AddRange(body);
        }
        program.Add(new Instruction(Return, 0, 0, Encode(otherwise)));
        if (program.Count > InstructionsMaximum)
            throw new InvalidOperationException($"the filter has {program.Count} instructions, the kernel takes {InstructionsMaximum}");
        return [.. program];
    }

    /// <summary>Puts the calling thread, and all it starts, under the filter for good. Needs no_new_privs.</summary>
    internal static void Install(Instruction[] program)
    {
        var packed = Array.ConvertAll(program, instruction => instruction.Pack());
        fixed (ulong* instructions = packed)
        {
            // struct sock_fprog: u16 length, 6 bytes of padding, pointer
            var descriptor = stackalloc ulong[2] { (ulong)program.Length, (ulong)instructions };
            LinuxException.ThrowIfFailed(Libc.Syscall(SystemCall.Seccomp, SetModeFilter, 0, (nint)descriptor), "install the system call filter");
        }
    }

    static List<Instruction> Body(SeccompRule rule)
    {
        if (rule.Condition is not { } condition)
            return [new(Return, 0, 0, Encode(rule.Action))];
        var body = new List<Instruction>
        {
            new(LoadWord, 0, 0, (uint)(16 + 8 * condition.Argument)),
            new(And, 0, 0, condition.Mask),
        };
        for (var i = 0; i < condition.Values.Length; i++)
        {
            // On a match, over the remaining comparisons and the refusal.
            var toAction = condition.Values.Length - i;
            body.Add(new Instruction(JumpIfEqual, checked((byte)toAction), 0, condition.Values[i]));
        }
        body.Add(new Instruction(Return, 0, 0, Encode(SeccompAction.Refuse)));
        body.Add(new Instruction(Return, 0, 0, Encode(rule.Action)));
        return body;
    }

    static uint Encode(SeccompAction action) => action switch
    {
        SeccompAction.Allow => ReturnAllow,
        SeccompAction.Refuse => ReturnErrno | Errno.NotPermitted,
        SeccompAction.PretendMissing => ReturnErrno | Errno.NoSystemCall,
        _ => ReturnKillProcess,
    };
}
