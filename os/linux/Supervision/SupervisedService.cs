using System.Globalization;
using Talos.Linux.Processes;

namespace Talos.Linux.Supervision;

/// <summary>One service: wanted or not, and if wanted, kept running.</summary>
sealed class SupervisedService : IDisposable
{
    readonly ServiceSpecification _specification;
    readonly Reaper _reaper;
    readonly ServiceLog _log;
    readonly TimeProvider _clock;
    readonly BackOff _backOff = new();
    readonly SemaphoreSlim _command = new(1, 1);
    CancellationTokenSource _stop = new();
    Task _run = Task.CompletedTask;
    TimeSpan _stopTimeout;

    internal SupervisedService(ServiceSpecification specification, Reaper reaper, ServiceLog log, TimeProvider clock)
    {
        (_specification, _reaper, _log, _clock) = (specification, reaper, log, clock);
        Status = new ServiceStatus(specification.Id, ServiceState.Waiting, 0, 0, clock.GetUtcNow(), "declared");
    }

    internal ServiceStatus Status { get; private set; }

    /// <summary>Wants the service. Completes with its process, or fails if that could not be started; it is tried again all the same.</summary>
    internal async Task<int> StartAsync()
    {
        await _command.WaitAsync();
        try
        {
            return await StartLockedAsync();
        }
        finally
        {
            _command.Release();
        }
    }

    /// <summary>No longer wants the service. Completes when its process has ended.</summary>
    internal async Task StopAsync(TimeSpan? timeout = null)
    {
        await _command.WaitAsync();
        try
        {
            await StopLockedAsync(timeout);
        }
        finally
        {
            _command.Release();
        }
    }

    internal async Task<int> RestartAsync(TimeSpan? timeout)
    {
        await _command.WaitAsync();
        try
        {
            await StopLockedAsync(timeout);
            return await StartLockedAsync();
        }
        finally
        {
            _command.Release();
        }
    }

    public void Dispose()
    {
        _stop.Dispose();
        _command.Dispose();
        _log.Dispose();
    }

    async Task<int> StartLockedAsync()
    {
        if (Status is { State: ServiceState.Running, ProcessId: var pid })
            return pid;
        // A service in back-off is started now.
        await StopLockedAsync(null);
        _stop.Dispose();
        _stop = new CancellationTokenSource();
        _backOff.Reset();
        var started = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        _run = KeepRunningAsync(started, _stop.Token);
        return await started.Task;
    }

    async Task StopLockedAsync(TimeSpan? timeout)
    {
        _stopTimeout = timeout ?? _specification.StopTimeout;
        await _stop.CancelAsync();
        await _run;
    }

    async Task KeepRunningAsync(TaskCompletionSource<int> started, CancellationToken stop)
    {
        while (true)
        {
            var since = _clock.GetTimestamp();
            var ending = await RunOnceAsync(started, stop);
            if (stop.IsCancellationRequested)
            {
                Become(ServiceState.Stopped, 0, ending);
                return;
            }
            var pause = _backOff.Next(_clock.GetElapsedTime(since));
            Become(ServiceState.BackOff, 0, $"{ending}, next start in {pause.TotalSeconds.ToString("0.##", CultureInfo.InvariantCulture)} s");
            await Task.Delay(pause, _clock, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stop.IsCancellationRequested)
            {
                Become(ServiceState.Stopped, 0, "stopped while waiting to start again");
                return;
            }
            Status = Status with { Restarts = Status.Restarts + 1 };
        }
    }

    /// <returns>One sentence: how the process ended, or why it did not start.</returns>
    async Task<string> RunOnceAsync(TaskCompletionSource<int> started, CancellationToken stop)
    {
        Child child;
        try
        {
            child = _reaper.Start(_specification.Start);
        }
        catch (LinuxException e)
        {
            started.TrySetException(e);
            return e.Message;
        }
        Become(ServiceState.Running, child.ProcessId, $"started process {child.ProcessId}");
        var output = OutputPump.Start(child.Output, _log, _specification.Id);
        started.TrySetResult(child.ProcessId);
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = stop.Register(stopping.SetResult);
        if (await Task.WhenAny(child.Ended, stopping.Task) != child.Ended)
        {
            Become(ServiceState.Stopping, child.ProcessId, $"asked process {child.ProcessId} to end");
            await EndAsync(child);
        }
        var status = await child.Ended;
        // A grandchild may hold the pipe open: its output is still logged, but nobody waits for it.
        _ = output;
        return status.ToString();
    }

    async Task EndAsync(Child child)
    {
        child.Send(Signal.Terminate);
        using var timer = new CancellationTokenSource();
        await Task.WhenAny(child.Ended, Task.Delay(_stopTimeout, _clock, timer.Token));
        child.Send(Signal.Kill);
        await child.Ended;
        await timer.CancelAsync();
    }

    void Become(ServiceState state, int processId, string happened) =>
        Status = Status with { State = state, ProcessId = processId, LastChange = _clock.GetUtcNow(), LastEvent = happened };
}
