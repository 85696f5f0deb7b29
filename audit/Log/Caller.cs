using Google.Protobuf;

namespace Talos.Audit;

public sealed partial class Caller
{
    // Field 9 of an entry, with its tag; null until the message is frozen.
    internal byte[]? Encoded { get; private set; }

    /// <summary>
    /// Keeps the encoding of the message, for one that stands in many entries: what is set in it from now on is not recorded. A copy is not
    /// frozen.
    /// </summary>
    public Caller Freeze()
    {
        Encoded = new Entry { Caller = this }.ToByteArray();
        return this;
    }
}
