using Talos.AotSelfTest;

// The node's executables are linked in a way that nobody supports: NativeAOT archives built for glibc, linked statically
// to musl. This program exercises what they rely on. It runs on the host and as PID 1 of a virtual machine, where nothing
// but itself and the kernel exists; so it is its own child process too. The last line counts the cases.
if (args is [var role, ..] && ChildProcess.TryRun(role, out var exitCode)) return exitCode;

var firstProcess = Environment.ProcessId == 1;
if (firstProcess) Machine.Prepare();

var cases = new Cases(args.FirstOrDefault());
ThreadCases.Run(cases);
CollectorCases.Run(cases);
ExceptionCases.Run(cases);
FileCases.Run(cases);
ProcessCases.Run(cases);
NetworkCases.Run(cases);
CryptographyCases.Run(cases);
TlsCases.Run(cases);
SqliteCases.Run(cases);
LibraryCases.Run(cases);
InteropCases.Run(cases);

var failed = cases.Report();
if (firstProcess) Machine.PowerOff();
return failed == 0 ? 0 : 1;
