namespace Talos.Audit;

enum FieldForm : byte
{
    None,
    UnsignedInteger32,
    UnsignedInteger64,
    // A varint whose presence is meant, so that zero is written.
    PresentInteger64,
    // A point in time: an int64 that is never negative.
    Time,
    Boolean,
    Enumeration,
    Text,
    Bytes,
    Message,
    Map,
}

// One field as the canonical form has it. `Limit` is the largest enumeration value, or the only non-zero length of a bytes field.
readonly record struct FieldShape(FieldForm Form, bool Repeated = false, FieldShape[]? Message = null, int Limit = 0);

// entry.proto as a table, so that the check of an entry needs neither allocation nor reflection. A test holds it to the descriptor.
static class EntrySchema
{
    internal const uint Version = 1;

    static readonly FieldShape s_text = new(FieldForm.Text);
    static readonly FieldShape s_texts = new(FieldForm.Text, Repeated: true);

    static readonly FieldShape[] s_caller = [default, s_text, s_texts, s_text, s_text, s_text, s_texts];
    static readonly FieldShape[] s_field = [default, s_text, s_text, new(FieldForm.Boolean)];
    static readonly FieldShape[] s_decision = [default, new(FieldForm.Enumeration, Limit: 2), s_text, s_text, s_text, s_text];
    static readonly FieldShape[] s_outcome = [default, s_text, new(FieldForm.UnsignedInteger64), s_text];
    static readonly FieldShape[] s_detail = [default, s_text, s_text];

    internal static readonly FieldShape[] Entry =
    [
        default,
        new(FieldForm.UnsignedInteger32),
        new(FieldForm.Enumeration, Limit: 19),
        new(FieldForm.PresentInteger64),
        new(FieldForm.Time),
        new(FieldForm.UnsignedInteger64),
        s_text,
        new(FieldForm.Bytes, Limit: 16),
        new(FieldForm.Enumeration, Limit: 4),
        new(FieldForm.Message, Message: s_caller),
        s_text,
        new(FieldForm.Bytes, Limit: 32),
        new(FieldForm.Message, Repeated: true, Message: s_field),
        new(FieldForm.Message, Message: s_decision),
        new(FieldForm.Message, Message: s_outcome),
        new(FieldForm.Map, Repeated: true, Message: s_detail),
        s_text,
    ];

    internal const int Schema = 1, Kind = 2, Opened = 3, Wall = 4, Monotonic = 5, Boot = 7, Method = 10;
}
