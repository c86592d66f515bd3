"""What the guarded child is asked: one byte each, known to both sides."""

from __future__ import annotations

DONE, REFUSED = b".", b"!"
LOAD = b"l"
"""A context: it becomes the child's; what SEAL took its parameters for comes back."""

NEW, ENCRYPT, ADD, SUM, DECRYPT = b"n", b"e", b"a", b"s", b"d"
"""Sums (BFV): new keys; int64 values to a vector; a vector onto sum number n; the sum; its values."""

NEW_APPROXIMATE, PUBLISH, ENCRYPT_COLUMN, WEIGH, RUN, DECRYPT_COLUMN = b"N", b"P", b"E", b"W", b"R", b"D"
"""Scores (CKKS): new keys; the public half with relinearisation keys; doubles to a vector; a vector, times a constant,
onto the weighted sum; a program over that sum; the doubles of a vector."""

CIPHERTEXTS = 16
"""How many ciphertexts of a sum one request may carry: what bounds its time and its memory."""
