using System.Collections.Immutable;
using System.Numerics;

namespace Talos.Pki;

/// <summary>
/// RSA keys that are long enough and still weak (CABF BR §6.1.1.3, §6.1.6): asked of requests alone, since it costs about a millisecond and what an
/// authority signed was asked before.
/// </summary>
static class RsaKeyCheck
{
    // NIST SP 800-89 §5.3.3: trial division up to 752.
    const int LargestSmallPrime = 751;

    // LIMIT: primes this close are found by Fermat's method at once; keys of sound generators are 2^(bits/2 - 100) apart (FIPS 186-5 A.1.3).
    const int FermatRounds = 100;

    // CVE-2017-15361 (ROCA, Nemec et al. 2017): primes of that library are powers of 65537 modulo the product of small primes, and so is the modulus.
    const int RocaGenerator = 65537, LargestRocaPrime = 167;

    static readonly ImmutableArray<int> s_smallPrimes = [.. Enumerable.Range(2, LargestSmallPrime - 1).Where(n => Enumerable.Range(2, n - 2).All(d => n % d != 0))];

    static readonly ImmutableArray<(int Prime, ImmutableHashSet<int> Powers)> s_rocaPowers =
        [.. s_smallPrimes.Where(p => p is > 2 and <= LargestRocaPrime).Select(p => (p, PowersModulo(p)))];

    /// <summary>What is wrong with an RSA key; null when nothing is, or when the key is of another kind.</summary>
    public static string? Fault(SubjectPublicKey key)
    {
        if (key.Algorithm != KeyAlgorithm.Rsa)
            return null;
        if (key.RsaExponent < 65537)
            return $"an RSA exponent of {key.RsaExponent} is below 65537";
        BigInteger modulus = key.RsaModulus();
        foreach (int prime in s_smallPrimes)
            if (modulus % prime == 0)
                return $"the modulus of an RSA key is divisible by {prime}";
        if (s_rocaPowers.All(p => p.Powers.Contains((int)(modulus % p.Prime))))
            return "an RSA key is of a generator whose keys can be factored (CVE-2017-15361)";
        return HasClosePrimes(modulus) ? "the primes of an RSA key are so close to each other that it can be factored (CVE-2022-26320)" : null;
    }

    // n = a² - b² = (a + b)(a - b)
    static bool HasClosePrimes(BigInteger modulus)
    {
        BigInteger a = Root(modulus - 1) + 1;
        BigInteger square = (a * a) - modulus;
        for (int round = 0; round < FermatRounds; round++)
        {
            if (IsSquare(square))
                return true;
            square += (2 * a) + 1;
            a++;
        }

        return false;
    }

    static bool IsSquare(BigInteger number)
    {
        // Of the residues modulo 64 twelve are squares, which saves nearly every root.
        if ((0x0202021202030213UL >> (int)(number & 63) & 1) == 0)
            return false;
        BigInteger root = Root(number);
        return root * root == number;
    }

    /// <summary>The largest integer whose square does not exceed the number, by Newton's method from above.</summary>
    static BigInteger Root(BigInteger number)
    {
        if (number < 2)
            return number;
        BigInteger root = BigInteger.One << (int)((number.GetBitLength() + 1) / 2);
        while (true)
        {
            BigInteger next = (root + (number / root)) >> 1;
            if (next >= root)
                return root;
            root = next;
        }
    }

    static ImmutableHashSet<int> PowersModulo(int prime)
    {
        ImmutableHashSet<int>.Builder powers = ImmutableHashSet.CreateBuilder<int>();
        for (int power = 1; powers.Add(power); power = (int)((long)power * RocaGenerator % prime))
        {
        }

        return powers.ToImmutable();
    }
}
