namespace Talos.Machined;

/// <summary>One line an event, on standard output; whoever supervises machined keeps it.</summary>
static class Journal
{
    internal static void Write(string sentence) => Console.Out.WriteLine(sentence);
}
