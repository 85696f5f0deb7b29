using System.Text.Json;
using Xunit;

namespace Talos.Audit.Tests;

// The files run through the conformance verb too; here each folder is one test, so that a missing one is seen.
public sealed class MerkleVectorTests
{
    static readonly string s_root = Path.Combine(Repository(), "tests/vectors/audit/merkle");

    [Theory]
    [InlineData("inclusion", 58)]
    [InlineData("consistency", 66)]
    [InlineData("subtreeinclusion", 126)]
    [InlineData("subtreeconsistency", 76)]
    public void Accepts_and_rejects_as_the_vectors_say(string kind, int atLeast)
    {
        string[] files = Directory.GetFiles(Path.Combine(s_root, kind), "*.json", SearchOption.AllDirectories);
        Assert.True(files.Length >= atLeast, $"{files.Length} files in {kind}");
        foreach (string file in files)
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            JsonElement test = document.RootElement;
            MerkleVerdict verdict = kind switch
            {
                "inclusion" => MerkleProof.CheckInclusion(
                    Number(test, "leafIdx"), Number(test, "treeSize"), Bytes(test, "leafHash"), Proof(test), Bytes(test, "root")),
                "consistency" => MerkleProof.CheckConsistency(
                    Number(test, "size1"), Number(test, "size2"), Proof(test), Bytes(test, "root1"), Bytes(test, "root2")),
                "subtreeinclusion" => MerkleProof.CheckSubtreeInclusion(
                    Number(test, "leafIdx"), Number(test, "start"), Number(test, "end"), Bytes(test, "leafHash"), Proof(test), Bytes(test, "root")),
                _ => MerkleProof.CheckSubtreeConsistency(
                    Number(test, "start"), Number(test, "end"), Number(test, "size"), Proof(test), Bytes(test, "root1"), Bytes(test, "root2")),
            };
            Assert.True((verdict != MerkleVerdict.Verified) == test.GetProperty("wantErr").GetBoolean(), $"{file}: {verdict}");
        }
    }

    [Fact]
    public void Accepts_the_subtree_proofs_of_every_range_of_a_small_tree()
    {
        List<byte[]> leaves = [.. Enumerable.Range(0, 40).Select(static i => TreeHash.Leaf([(byte)i]))];
        byte[] Read(int level, ulong index) => TreeHash.Perfect(
            leaves.Skip((int)(index << level)).Take(1 << level).SelectMany(static h => h).ToArray());
        for (ulong size = 1; size <= 40; size++)
        {
            byte[] root = MerkleTree.Root(size, Read);
            for (ulong index = 0; index < size; index++)
                Assert.Equal(MerkleVerdict.Verified, MerkleProof.CheckInclusion(
                    index, size, leaves[(int)index], MerkleTree.InclusionPath(index, size, Read), root));
            for (ulong older = 1; older <= size; older++)
                Assert.Equal(MerkleVerdict.Verified, MerkleProof.CheckConsistency(
                    older, size, MerkleTree.ConsistencyPath(older, size, Read), MerkleTree.Root(older, Read), root));
        }
    }

    static ulong Number(JsonElement test, string name) => test.GetProperty(name).GetUInt64();

    static byte[] Bytes(JsonElement test, string name) => test.GetProperty(name).GetBytesFromBase64();

    static byte[][] Proof(JsonElement test) =>
        test.GetProperty("proof") is { ValueKind: JsonValueKind.Array } list ? [.. list.EnumerateArray().Select(static h => h.GetBytesFromBase64())] : [];

    internal static string Repository()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "Talos.sln"))) directory = Path.GetDirectoryName(directory);
        return directory ?? throw new DirectoryNotFoundException("the tests run from inside the repository");
    }
}
