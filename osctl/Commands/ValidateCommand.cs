using System.CommandLine;
using Talos.Api.Configuration;
using Talos.Osctl.Contexts;

namespace Talos.Osctl.Commands;

static class ValidateCommand
{
    static readonly Argument<string[]> Files = new("FILE") { Description = "Machine configurations", Arity = ArgumentArity.OneOrMore };

    public static Verb Build() => new("validate", "Check machine configurations and name every mistake with its line and column", "osctl validate controlplane.yaml worker.yaml")
    {
        Arguments = { Files },
        Run = invocation =>
        {
            var code = ExitCode.Done;
            foreach (var file in invocation.Get(Files))
            {
                var result = MachineConfiguration.Parse(ContextFile.ReadText(file), file);
                if (result.Value is { } configuration) invocation.Output.WriteLine($"{file}: valid, {configuration}");
                foreach (var error in result.Errors) invocation.Terminal.Error.WriteLine(error.ToString());
                if (result.Errors.Count > 0) code = ExitCode.NotInOrder;
            }
            return Task.FromResult(code);
        },
    };
}
