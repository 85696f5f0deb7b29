using System.Reflection;
using System.Text;
using Xunit;

namespace Talos.Pki.Tests;

/// <summary>The public surface as a text that is read whenever it changes: PublicApi.txt.</summary>
public sealed class PublicApiTests
{
    [Fact]
    public void Accepts_no_unread_change_of_the_public_surface()
    {
        string expected = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "PublicApi.txt"));
        string actual = Describe(typeof(Certificate).Assembly);
        if (expected == actual)
            return;
        string path = Path.Combine(Path.GetTempPath(), "Talos.Pki.PublicApi.txt");
        File.WriteAllText(path, actual);
        string change = string.Join('\n', actual.Split('\n').Except(expected.Split('\n')).Select(l => "+ " + l.Trim())
            .Concat(expected.Split('\n').Except(actual.Split('\n')).Select(l => "- " + l.Trim())));
        Assert.Fail($"the public surface changed; if that is meant, copy {path} over tests/Pki/PublicApi.txt\n{change}");
    }

    [Fact]
    public void Accepts_proofs_only_as_sealed_classes_that_nobody_outside_can_make()
    {
        Type[] proofs =
        [
            typeof(VerifiedRequest), typeof(PreparedCertificate), typeof(PeerIdentity), typeof(ValidatedPath), typeof(ValidationResult),
            typeof(SerialRecord), typeof(Certificate), typeof(CertificateAuthority), typeof(TrustStore), typeof(SpiffeId),
        ];
        foreach (Type proof in proofs)
        {
            Assert.True(proof is { IsSealed: true, IsClass: true }, proof.Name);
            Assert.Empty(proof.GetConstructors(BindingFlags.Public | BindingFlags.Instance));
        }
    }

    [Fact]
    public void Accepts_enums_only_with_a_safe_zero()
    {
        string[] safe = ["Unspecified", "NotValidated", "Unknown", "None", "NotRecorded", "Required"];
        foreach (Type type in typeof(Certificate).Assembly.GetExportedTypes().Where(t => t.IsEnum))
            Assert.Contains(Enum.GetName(type, Enum.ToObject(type, 0)), safe);
    }

    static string Describe(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (Type type in assembly.GetExportedTypes().OrderBy(t => t.FullName, StringComparer.Ordinal))
        {
            string kind = type.IsEnum ? "enum" : type.IsValueType ? "struct" : type.IsAbstract && type.IsSealed ? "static class" : type.IsSealed ? "sealed class" : "class";
            text.Append($"{kind} {Name(type)}\n");
            IEnumerable<string> members = type.IsEnum
                ? Enum.GetNames(type).Select(n => $"{n} = {Convert.ToInt32(Enum.Parse(type, n), System.Globalization.CultureInfo.InvariantCulture)}")
                : type.GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
                    .Where(m => m is not MethodInfo { IsSpecialName: true } || m.Name.StartsWith("op_Implicit", StringComparison.Ordinal))
                    .Where(m => m is not MethodInfo || m.Name is not ("Equals" or "GetHashCode" or "ToString" or "<Clone>$" or "Deconstruct"))
                    .Select(Member).Order(StringComparer.Ordinal);
            foreach (string member in members)
                text.Append($"    {member}\n");
        }

        return text.ToString();
    }

    static string Member(MemberInfo member) => member switch
    {
        MethodInfo m => $"{(m.IsStatic ? "static " : "")}{Name(m.ReturnType)} {m.Name}({Parameters(m)})",
        ConstructorInfo c => $"new({Parameters(c)})",
        PropertyInfo p => $"{((p.GetMethod ?? p.SetMethod)!.IsStatic ? "static " : "")}{Name(p.PropertyType)} {p.Name} {{ get; {(p.SetMethod is { IsPublic: true } ? "set; " : "")}}}",
        FieldInfo f => $"{(f.IsLiteral ? "const " : "")}{Name(f.FieldType)} {f.Name}",
        _ => member.ToString()!,
    };

    static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(p => $"{Name(p.ParameterType)} {p.Name}"));

    static string Name(Type type)
    {
        if (!type.IsGenericType)
            return type.Name;
        return $"{type.Name[..type.Name.IndexOf('`')]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>";
    }
}
