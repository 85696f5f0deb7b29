using System.Runtime.InteropServices;
using System.Text;

namespace Talos.Linux.Native;

/// <summary>A null-terminated array of C strings, for execve(2) and posix_spawn(3).</summary>
sealed unsafe class CStrings : IDisposable
{
    byte* _block;

    internal CStrings(IReadOnlyList<string> values)
    {
        var encoded = new byte[values.Count][];
        var pointers = (nuint)((values.Count + 1) * sizeof(byte*));
        var length = pointers;
        for (var i = 0; i < values.Count; i++)
        {
            if (values[i].Contains('\0'))
                throw new ArgumentException("a C string cannot hold a zero byte", nameof(values));
            encoded[i] = Encoding.UTF8.GetBytes(values[i]);
            length += (nuint)encoded[i].Length + 1;
        }
        // SAFETY: zeroed, so that the pointer array and every string end in zero; `length` covers all that is written below.
        _block = (byte*)NativeMemory.AllocZeroed(length);
        var text = _block + pointers;
        for (var i = 0; i < encoded.Length; i++)
        {
            Pointers[i] = text;
            encoded[i].CopyTo(new Span<byte>(text, encoded[i].Length));
            text += encoded[i].Length + 1;
        }
    }

    internal byte** Pointers => (byte**)_block;

    public void Dispose()
    {
        NativeMemory.Free(_block);
        _block = null;
    }
}
