using System.Runtime.CompilerServices;

namespace Talos.Policy;

/// <summary>One evaluation of a program: its context, caches and remaining budget. Used by one thread.</summary>
sealed partial class Evaluation
{
    // Clock and allocation are asked once in so many steps.
    const int CheckInterval = 256;

    // The stack is asked at one of so many nested rules.
    const int StackInterval = 4;

    readonly EvaluationOptions _options;
    readonly long _deadline, _allocatedAtStart;
    long _steps;
    int _depth;

    public Evaluation(Program program, Value? input, EvaluationOptions options)
    {
        Program = program;
        _options = options;
        Context = new EvaluationContext(input, program.Data);
        _deadline = options.Limits.Time == Timeout.InfiniteTimeSpan ? long.MaxValue
            : options.Clock.GetTimestamp() + (long)(options.Limits.Time.TotalSeconds * options.Clock.TimestampFrequency);
        _allocatedAtStart = GC.GetAllocatedBytesForCurrentThread();
    }

    public Program Program { get; }

    /// <summary>What <c>time.now_ns()</c> says; null asks the clock.</summary>
    public long? NowNanoseconds { get; init; }

    public EvaluationContext Context { get; set; }
    public EvaluationOptions Options => _options;

    /// <summary>Values that a builtin must give the same way throughout one evaluation: the time, random numbers.</summary>
    public Dictionary<string, Value> Memo => _memo ??= new(StringComparer.Ordinal);

    Dictionary<string, Value>? _memo;

    /// <summary>Something was asked that may answer differently the next time: the clock, chance, the host.</summary>
    public bool CalledImpure { get; private set; }

    public void Tick()
    {
        if ((++_steps & (CheckInterval - 1)) == 0) Check();
    }

    void Check()
    {
        if (_steps > _options.Limits.Steps) throw Limit("steps");
        if (_options.Clock.GetTimestamp() > _deadline) throw Limit("time");
        if (GC.GetAllocatedBytesForCurrentThread() - _allocatedAtStart > _options.Limits.AllocatedBytes) throw Limit("memory");
    }

    public void CheckResult(Value value)
    {
        int left = _options.Limits.ResultValues;
        Count(value, ref left);
    }

    static void Count(Value value, ref int left)
    {
        if (--left < 0) throw Limit("result");
        switch (value)
        {
            case ArrayValue a:
                foreach (Value item in a.Items) Count(item, ref left);
                break;
            case SetValue s:
                foreach (Value item in s.Members.Sorted) Count(item, ref left);
                break;
            case ObjectValue o:
                foreach (Value item in o.Values) Count(item, ref left);
                break;
        }
    }

    public static EvaluationException Limit(string name) => new("eval_cancel_error", $"the evaluation was stopped at its limit `{name}`");

    public void CheckStack()
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw Limit("nesting");
    }

    public bool IsMasked(DocNode node) => Context.Masks is { } masks && masks.Contains(node);

    /// <summary>The document at a path, as far as it is defined.</summary>
    public Value? Document(IReadOnlyList<Value> path)
    {
        Value? value = new VirtualDoc(this, Program.Root, Context.Data);
        foreach (Value key in path)
        {
            value = value.Get(key);
            if (value is null) return null;
        }
        return value;
    }

    /// <summary>The value of the rules at a node.</summary>
    public Value? Rule(DocNode node)
    {
        Value?[] cache = Context.Cache ??= new Value?[Program.RuleNodes];
        if (cache[node.Id] is { } known) return ReferenceEquals(known, EvaluationContext.Undefined) ? null : known;
        Enter();
        Value? value = node.Compiled!.Evaluate(this);
        _depth--;
        cache[node.Id] = value ?? EvaluationContext.Undefined;
        return value;
    }

    public Value? CallFunction(DocNode node, Value[] args, Position at)
    {
        _ = at;
        Enter();
        Value? value = node.Compiled!.Call(this, args);
        _depth--;
        return value;
    }

    // An error ends the evaluation, so that nobody has to count back for one.
    void Enter()
    {
        if ((++_depth & (StackInterval - 1)) == 0) CheckStack();
        Tick();
    }

    public Value? CallBuiltin(Builtin builtin, Value[] args, Position at)
    {
        Tick();
        if (!builtin.IsPure) CalledImpure = true;
        t_running = this;
        try
        {
            return Weighed(builtin.Invoke(this, args));
        }
        catch (Exception e) when (e is BuiltinException or OutOfMemoryException or OverflowException)
        {
            return Failed(builtin, e, at);
        }
        finally
        {
            t_running = null;
        }
    }

    // The next three are the same without an array.
    public Value? CallBuiltin(Builtin builtin, Value a, Position at)
    {
        Tick();
        if (!builtin.IsPure) CalledImpure = true;
        t_running = this;
        try
        {
            return Weighed(builtin.One!(a));
        }
        catch (Exception e) when (e is BuiltinException or OutOfMemoryException or OverflowException)
        {
            return Failed(builtin, e, at);
        }
        finally
        {
            t_running = null;
        }
    }

    public Value? CallBuiltin(Builtin builtin, Value a, Value b, Position at)
    {
        Tick();
        if (!builtin.IsPure) CalledImpure = true;
        t_running = this;
        try
        {
            return Weighed(builtin.Two!(a, b));
        }
        catch (Exception e) when (e is BuiltinException or OutOfMemoryException or OverflowException)
        {
            return Failed(builtin, e, at);
        }
        finally
        {
            t_running = null;
        }
    }

    public Value? CallBuiltin(Builtin builtin, Value a, Value b, Value c, Position at)
    {
        Tick();
        if (!builtin.IsPure) CalledImpure = true;
        t_running = this;
        try
        {
            return Weighed(builtin.Three!(a, b, c));
        }
        catch (Exception e) when (e is BuiltinException or OutOfMemoryException or OverflowException)
        {
            return Failed(builtin, e, at);
        }
        finally
        {
            t_running = null;
        }
    }

    Value? Failed(Builtin builtin, Exception e, Position at)
    {
        // A text or list beyond what the platform can hold.
        if (e is not BuiltinException failure) throw Limit("memory");
        if (!_options.StrictBuiltinErrors) return null;
        throw new EvaluationException(failure.IsOperandError ? "eval_type_error" : "eval_builtin_error", $"{builtin.Name}: {e.Message}", at);
    }

    public Value? CallMocked(string name, Value[] args, Position at)
    {
        if (!Context.Mocks!.TryGetValue(name, out object? replacement))
            return Program.FindFunction(name) is { } node ? CallFunction(node, args, at) : CallBuiltin(BuiltinRegistry.Find(name)!, args, at);
        if (replacement is Value value) return value;
        EvaluationContext outer = Context;
        // Inside the replacement the name means the original again.
        Context = outer.WithoutMock(name);
        try
        {
            return replacement is DocNode f ? CallFunction(f, args, at) : CallBuiltin((Builtin)replacement, args, at);
        }
        finally
        {
            Context = outer;
        }
    }
}

/// <summary>How to evaluate.</summary>
sealed record EvaluationOptions
{
    public static EvaluationOptions Default { get; } = new();

    public EvaluationLimits Limits { get; init; } = EvaluationLimits.Default;

    /// <summary>Errors of builtins end the evaluation instead of making the expression undefined.</summary>
    public bool StrictBuiltinErrors { get; init; }

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>What <c>opa.runtime()</c> says.</summary>
    public ObjectValue Runtime { get; init; } = ObjectValue.Empty;

    /// <summary>Lets <c>http.send</c> and <c>net.lookup_ip_addr</c> reach the network.</summary>
    public bool AllowNetwork { get; init; }

    /// <summary>Receives each rule that had a value; null when nobody asks.</summary>
    public List<(RuleDefinition Rule, Position At, Value Value)>? Trace { get; init; }

    /// <summary>Counts which expressions ran; null when nobody asks.</summary>
    public Coverage? Coverage { get; init; }
}
