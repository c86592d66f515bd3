"""Polynomials modulo X^N + 1 in plain Python: what SEAL's words mean, worked out independently of it."""

import math
from functools import cache


@cache
def _root(degree, modulus):
    """SEAL's 2N-th root of unity: the smallest primitive one."""
    for base in range(2, 1000):
        root = pow(base, (modulus - 1) // (2 * degree), modulus)
        if pow(root, degree, modulus) == modulus - 1:
            break
    smallest, power, square = root, root, root * root % modulus
    for _ in range(degree):
        smallest = min(smallest, power)
        power = power * square % modulus
    return smallest


def _reversed(values):
    bits = len(values).bit_length() - 1
    return [values[int(f"{place:0{bits}b}"[::-1], 2)] for place in range(len(values))]


def _inverse(values, root, modulus):
    """Coefficients of the polynomial with these values at root^0, root^1, …, times their number."""
    if len(values) == 1:
        return values
    half, square = len(values) // 2, root * root % modulus
    even, odd = _inverse(values[0::2], square, modulus), _inverse(values[1::2], square, modulus)
    result, power = [0] * len(values), 1
    for k in range(half):
        turned = odd[k] * power % modulus
        result[k], result[k + half] = (even[k] + turned) % modulus, (even[k] - turned) % modulus
        power = power * root % modulus
    return result


def from_ntt(words, modulus):
    """SEAL's NTT form, values at the odd powers of the root in bit-reversed order, as coefficients."""
    degree = len(words)
    root = _root(degree, modulus)
    back = pow(root, -1, modulus)
    found = _inverse(_reversed([int(word) for word in words]), back * back % modulus, modulus)
    shrink = pow(degree, -1, modulus)
    return [value * shrink * pow(back, k, modulus) % modulus for k, value in enumerate(found)]


def coefficients(words, moduli, *, ntt=False):
    """Coefficients modulo the product of the moduli, from one row of residues a modulus (Chinese remainders)."""
    rows = [from_ntt(row, m) if ntt else [int(word) for word in row] for row, m in zip(words, moduli, strict=True)]
    product = math.prod(moduli)
    weights = [product // m * pow(product // m, -1, m) for m in moduli]
    return [
        sum(w * r for w, r in zip(weights, residues, strict=True)) % product for residues in zip(*rows, strict=True)
    ]


def key_times(key, polynomial):
    """The product with a key of -1, 0, 1, modulo X^N + 1: by one product of long integers (Kronecker)."""
    degree, width = len(polynomial), 16
    packed = _pack(polynomial, width)
    plus = _unpack(packed * _pack([int(k == 1) for k in key], width), 2 * degree, width)
    minus = _unpack(packed * _pack([int(k == -1) for k in key], width), 2 * degree, width)
    return [plus[k] - plus[k + degree] - minus[k] + minus[k + degree] for k in range(degree)]


def _pack(values, width):
    return int.from_bytes(b"".join(value.to_bytes(width, "little") for value in values), "little")


def _unpack(number, count, width):
    raw = number.to_bytes(count * width, "little")
    return [int.from_bytes(raw[place : place + width], "little") for place in range(0, len(raw), width)]
