using System.Text.Json.Nodes;
using Talos.Policy;

namespace Talos.Api.Server.Tests;

/// <summary>A copy of the shipped bundle that a test may change.</summary>
sealed class TestBundle : IDisposable
{
    public TestBundle()
    {
        foreach (var file in Directory.EnumerateFiles(TestHost.BundlePath, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(Folder, Path.GetRelativePath(TestHost.BundlePath, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("talos-bundle-").FullName;

    public PolicySource Source => new() { Shipped = Folder };

    public TestBundle WantsTwoPeople(params string[] methods) => Change("talos/second_person/data.json", data =>
    {
        data["critical"] = methods.Length == 0;
        data["methods"] = new JsonArray([.. methods.Select(m => (JsonNode)m)]);
    });

    public TestBundle Without(string method) => Change("talos/authz/data.json", data => data["methods"]!.AsObject().Remove(method));

    public TestBundle Named(string revision)
    {
        File.WriteAllText(Path.Combine(Folder, ".manifest"), new JsonObject { ["revision"] = revision }.ToJsonString());
        return this;
    }

    public TestBundle Change(string file, Action<JsonObject> change)
    {
        var path = Path.Combine(Folder, file);
        var document = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        change(document);
        File.WriteAllText(path, document.ToJsonString());
        return this;
    }

    public byte[] Pack(string? signingKeyPem = null) =>
        PolicyBundle.Pack(Folder, signingKeyPem is null ? null : PolicyBundle.Sign(Folder, signingKeyPem, "test"));

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
