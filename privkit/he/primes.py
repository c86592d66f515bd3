"""The primes that SEAL takes when it is asked for so many bits, found without it."""

from __future__ import annotations

from collections import Counter
from functools import cache

# Miller and Rabin's test with these bases errs for no number below 3.3 * 10^24 (Sorenson and Webster, 2015).
_BASES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)


@cache
def largest_primes(degree: int, bits: tuple[int, ...]) -> tuple[int, ...]:
    """What SEAL's `CoeffModulus::Create` gives (its modulus.cpp).

    For each size it takes the largest primes of just so many bits that are 1 modulo 2N, as many as are asked for, and
    hands out the smallest of them first.

    Args:
        degree: N.
        bits: How many bits each prime has; 20 to 60.
    """
    waiting = {size: _below(degree, size, count) for size, count in Counter(bits).items()}
    return tuple(waiting[size].pop() for size in bits)


def _below(degree: int, bits: int, count: int) -> list[int]:
    """The `count` largest primes of `bits` bits that are 1 modulo 2N, from the largest down."""
    found: list[int] = []
    candidate = (((1 << bits) - 1) // (2 * degree)) * 2 * degree + 1
    while len(found) < count:
        if candidate.bit_length() == bits and _is_prime(candidate):
            found.append(candidate)
        candidate -= 2 * degree
    return found


def _is_prime(number: int) -> bool:
    odd, halvings = number - 1, 0
    while odd % 2 == 0:
        odd, halvings = odd // 2, halvings + 1
    return all(_passes(number, base, odd, halvings) for base in _BASES)


def _passes(number: int, base: int, odd: int, halvings: int) -> bool:
    power = pow(base, odd, number)
    if power in (1, number - 1):
        return True
    for _ in range(halvings - 1):
        power = power * power % number
        if power == number - 1:
            return True
    return False
