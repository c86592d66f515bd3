"""Homomorphic encryption: BFV for exact sums between parties, CKKS for scoring that its key's owner alone sees.

>>> from privkit import he
>>> (channel,) = he.choose(highest=10**9, parties=3)
>>> key = he.SecretContext.new(channel)                                      # doctest: +SKIP
>>> contents = [he.encrypt(key.public, counts) for counts in vectors]        # doctest: +SKIP
>>> he.decrypt(key, he.add(key.public, contents, length), length)            # doctest: +SKIP

Each public name is imported when it is first used: the guarded child imports this package and must start fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from privkit.he.contexts import PublicContext, SecretContext
    from privkit.he.guarded import Guard
    from privkit.he.parameters import ALLOWED, Parameters, choose
    from privkit.he.sums import add, check, decrypt, encrypt

__all__ = [
    "ALLOWED",
    "Guard",
    "Parameters",
    "PublicContext",
    "SecretContext",
    "add",
    "check",
    "choose",
    "decrypt",
    "encrypt",
]

_HOMES = {
    "ALLOWED": "parameters",
    "Guard": "guarded",
    "Parameters": "parameters",
    "PublicContext": "contexts",
    "SecretContext": "contexts",
    "choose": "parameters",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'privkit.he' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"privkit.he.{_HOMES.get(name, 'sums')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
