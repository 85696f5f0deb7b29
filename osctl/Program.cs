return await Talos.Osctl.CommandLine.RunAsync(args, Talos.Osctl.Terminal.OfProcess());
