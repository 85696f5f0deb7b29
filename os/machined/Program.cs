using Talos.Machined;

return StandaloneOptions.TryParse(args, out var standalone, out var error) switch
{
    _ when error.Length > 0 => Refuse(error),
    true => await Standalone.RunAsync(standalone!),
    false => await OnNode.RunAsync(),
};

static int Refuse(string sentence)
{
    Console.Error.WriteLine("machined: " + sentence);
    Console.Error.WriteLine("hint: machined --standalone --config FILE --state DIR --run DIR [--bin DIR] [--policy DIR] [--listen-base PORT]");
    return 2;
}
