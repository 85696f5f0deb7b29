namespace Talos.Policy;

/// <summary>Puts the pieces of a partial document together and finds pieces that contradict each other.</summary>
sealed class DocumentBuilder
{
    Dictionary<Value, object>? _members;
    HashSet<Value>? _set;
    bool _isSet, _isObject;

    const string Conflict = "object keys must be unique";

    public void Add(ReadOnlySpan<Value> path, Value leaf, bool isMember)
    {
        DocumentBuilder at = this;
        int keys = isMember ? path.Length : path.Length - 1;
        for (int i = 0; i < keys; i++) at = at.Branch(path[i]);
        if (isMember)
        {
            if (at._isObject) throw new EvaluationException("eval_conflict_error", Conflict);
            at._isSet = true;
            (at._set ??= []).Add(leaf);
            return;
        }
        if (at._isSet) throw new EvaluationException("eval_conflict_error", Conflict);
        at._isObject = true;
        at._members ??= [];
        if (at._members.TryAdd(path[^1], leaf)) return;
        if (at._members[path[^1]] is not Value before || !before.Equals(leaf)) throw new EvaluationException("eval_conflict_error", Conflict);
    }

    /// <summary>Marks that a set or object is defined here even if it stays empty.</summary>
    public void Define(bool isSet)
    {
        if (isSet) _isSet = true;
        else _isObject = true;
    }

    public DocumentBuilder Branch(Value key)
    {
        if (_isSet) throw new EvaluationException("eval_conflict_error", Conflict);
        _isObject = true;
        _members ??= [];
        if (!_members.TryGetValue(key, out object? next)) _members.Add(key, next = new DocumentBuilder());
        return next as DocumentBuilder ?? throw new EvaluationException("eval_conflict_error", Conflict);
    }

    public Value Build()
    {
        if (_isSet) return _set is null ? SetValue.Empty : SetValue.From(_set);
        if (_members is null) return ObjectValue.Empty;
        var built = new Dictionary<Value, Value>(_members.Count);
        foreach ((Value key, object value) in _members) built.Add(key, value as Value ?? ((DocumentBuilder)value).Build());
        return ObjectValue.From(built);
    }
}
