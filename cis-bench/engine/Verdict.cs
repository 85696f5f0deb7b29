namespace Talos.Checks;

/// <summary>What a check found. Zero is the verdict of a check that could not read its fact.</summary>
public enum Verdict
{
    /// <summary>The fact could not be read. Never a pass.</summary>
    Unknown = 0,

    /// <summary>The fact was read and is as the check demands.</summary>
    Pass,

    /// <summary>The fact was read and is not as the check demands.</summary>
    Fail,

    /// <summary>A condition that was read from the target shows that the check has no object there; the evidence says which.</summary>
    NotApplicable,

    /// <summary>No machine can decide it; the check says what a person must look at.</summary>
    Manual,
}

/// <summary>What is looked at. A check names the targets that it can be asked of.</summary>
[Flags]
public enum ScanTargets
{
    None = 0,

    /// <summary>An unpacked root tree with its kernel's files, at build time.</summary>
    Image = 1,

    /// <summary>A running machine.</summary>
    Node = 2,

    /// <summary>Kernel files alone: configuration, command line, sysctl listing.</summary>
    KernelFiles = 4,
}
