"""Secrets stay where they are: no pickle, no copy, nothing in a repr."""

import copy
import pickle

import pytest

from privkit.he.contexts import PublicContext, SecretContext


def test_a_secret_context_is_not_pickled_or_copied(context):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(context, protocol=protocol)
    for duplicate in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            duplicate(context)


def test_nothing_secret_is_shown(context):
    for text in (repr(context), str(context), f"{context}", repr([context])):
        assert text.strip("[]") == repr(context)
        assert context.public.sha256 in text
        assert len(text) < 250
        assert context.to_bytes().hex()[-32:] not in text


def test_neither_is_made_by_its_class():
    for kind in (PublicContext, SecretContext):
        with pytest.raises(TypeError, match="from_bytes"):
            kind()


def test_the_public_half_holds_no_part_of_the_secret_one(context):
    public, everything = context.public.to_bytes(), context.to_bytes()
    assert everything.startswith(public)
    assert everything[len(public) : len(public) + 200] not in public
    assert len(everything) - len(public) > 60_000
