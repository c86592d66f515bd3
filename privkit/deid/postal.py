"""What postal addresses are made of, for whoever looks for them in texts."""

from __future__ import annotations

STATES = (
    r"(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|GU|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|"
    r"V[AIT]|W[AIVY])"
)
"""Postal codes of the United States' states and territories: a pattern."""
