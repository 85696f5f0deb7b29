namespace Talos.Image;

/// <summary>The options that the kernel is started with.</summary>
static class KernelCommandLine
{
    // LIMIT: COMMAND_LINE_SIZE of x86; the kernel silently cuts off what is beyond it.
    const int MaxBytes = 2048;

    // Left for what a machine adds at its own boot: an address, the place of its configuration.
    const int ReservedBytes = 512;

    /// <summary>Reads a file with one option a line, `#` starting a comment line, and appends <paramref name="more"/>.</summary>
    /// <exception cref="ImageException">An option is given twice, contains white space, or the line gets too long.</exception>
    internal static string Compose(string path, IEnumerable<string> more)
    {
        var options = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            var option = line.Trim();
            if (option.Length == 0 || option[0] == '#') continue;
            if (option.Any(char.IsWhiteSpace)) throw new ImageException($"{path}:{number}: `{option}` is more than one option", "write one option a line");
            // console= may be there several times, for several consoles
            if (!seen.Add(option) || (!option.StartsWith("console=", StringComparison.Ordinal) && !seen.Add(option.Split('=')[0] + "=")))
                throw new ImageException($"{path}:{number}: `{option}` is given twice");
            options.Add(option);
        }
        var text = string.Join(' ', options.Concat(more));
        if (text.Length > MaxBytes - ReservedBytes)
            throw new ImageException($"the kernel command line has {text.Length} bytes; more than {MaxBytes - ReservedBytes} leave a machine no room for its own options");
        return text;
    }
}
