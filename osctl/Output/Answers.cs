using System.Text.Json.Nodes;
using Google.Protobuf;
using Talos.Osctl.Nodes;

namespace Talos.Osctl.Output;

/// <summary>Prints what several nodes answered as one.</summary>
static class Answers
{
    /// <summary>Prints answers and failures; gives the exit code.</summary>
    public static int Print<T>(Invocation invocation, IReadOnlyList<Answer<T>> answers, Table table, Action<Table, string, T> addRows) where T : class, IMessage =>
        Print(invocation, answers, table, addRows, MessageTree.From);

    public static int Print<T>(Invocation invocation, IReadOnlyList<Answer<T>> answers, Table table, Action<Table, string, T> addRows, Func<T, JsonObject> toTree) where T : class
    {
        if (invocation.IsTree)
        {
            TreeWriter.Write(invocation.Output, new JsonArray([.. answers.Select(a => ToTree(a, toTree))]), invocation.Format);
            return Answer<T>.ExitCode(answers);
        }
        foreach (var answer in answers)
        {
            if (answer.Value is { } value) addRows(table, answer.Target.Name, value);
        }
        if (answers.Any(a => a.Value is not null)) table.Write(invocation.Output);
        PrintFailures(invocation, answers);
        return Answer<T>.ExitCode(answers);
    }

    public static void PrintFailures<T>(Invocation invocation, IReadOnlyList<Answer<T>> answers) where T : class
    {
        foreach (var answer in answers)
        {
            if (answer.Failure is { } failure) Fail(invocation, answer.Target, failure);
        }
    }

    public static void Fail(Invocation invocation, Target target, CallFailure failure)
    {
        var reason = failure.Reason.Length == 0 ? "" : $" [{failure.Reason}]";
        invocation.Terminal.Fail($"{target.Name}: {failure.Message}{reason}", failure.Hint);
    }

    public static JsonObject Named(string node, JsonObject tree)
    {
        var named = new JsonObject { ["node"] = node };
        foreach (var (name, value) in tree) named[name] = value?.DeepClone();
        return named;
    }

    static JsonObject ToTree<T>(Answer<T> answer, Func<T, JsonObject> toTree) where T : class
    {
        if (answer.Value is { } value) return Named(answer.Target.Name, toTree(value));
        var failure = answer.Failure!;
        return new JsonObject
        {
            ["node"] = answer.Target.Name,
            ["error"] = new JsonObject { ["code"] = failure.CodeName, ["reason"] = failure.Reason, ["message"] = failure.Message, ["hint"] = failure.Hint ?? "" },
        };
    }
}
