namespace Talos.Audit;

/// <summary>Why the log could not do what it was asked.</summary>
public enum AuditLogReason
{
    /// <summary>A cause that has no name of its own; see the inner exception.</summary>
    Unknown,

    /// <summary>There is no room left on the file system. Appending is possible again once there is.</summary>
    DiskFull,

    /// <summary>The file system refused a write or a sync. The log takes no more entries until it is opened anew.</summary>
    WriteFailed,

    /// <summary>The log was closed.</summary>
    Closed,

    /// <summary>The entry is larger than a log entry can be, or lacks its kind.</summary>
    InvalidEntry,

    /// <summary>Another process has this log open.</summary>
    InUse,

    /// <summary>Files of the log contradict each other or its checkpoint.</summary>
    Damaged,

    /// <summary>The entries that were asked for do not exist, or were removed under the retention policy.</summary>
    NoSuchEntry,

    /// <summary>The checkpoint on disk was made by another key or for another origin.</summary>
    ForeignLog,
}

/// <summary>The log could not do what it was asked; <see cref="Reason"/> says why.</summary>
public sealed class AuditLogException : IOException
{
    /// <summary>Makes the exception. The message is one lower-case sentence without a full stop.</summary>
    public AuditLogException(AuditLogReason reason, string message, Exception? inner = null)
        : base(message, inner) => Reason = reason;

    /// <summary>The cause, for programs.</summary>
    public AuditLogReason Reason { get; }
}
