return await Talos.Osd.OsdProcess.RunAsync(args).ConfigureAwait(false);
