using Talos.Init;

// PID 1 itself, or, in a child that it started: the stage that confines and becomes a service.
return args switch
{
    [Launcher.Argument, var id] => Launcher.Run(id),
    _ when Environment.ProcessId == 1 => PidOne.Run(),
    _ => Refuse(),
};

static int Refuse()
{
    Console.Error.WriteLine("init: not process 1");
    return 2;
}
