"""Frames: whole or not at all, and none that is longer than what was agreed."""

import io

import pytest

from privkit.engines.pipes import receive, send


def _frame(tag, *parts):
    pipe = io.BytesIO()
    send(pipe, tag, *parts)
    return pipe.getvalue()


def test_a_frame_comes_back_from_its_parts():
    frame = _frame(b"x", b"ab", memoryview(b"cd"), b"") + _frame(b"y")
    pipe = io.BytesIO(frame)
    assert receive(pipe) == (b"x", b"abcd")
    assert receive(pipe, 0) == (b"y", b"")


def test_a_frame_that_is_cut_is_an_end():
    frame = _frame(b"x", b"abcd")
    for length in (len(frame) - 1, 9):
        with pytest.raises(EOFError):
            receive(io.BytesIO(frame[:length]))


def test_a_longer_frame_than_agreed_is_not_read():
    with pytest.raises(EOFError):
        receive(io.BytesIO(_frame(b"x", b"abcd")), 3)
    assert receive(io.BytesIO(_frame(b"x", b"abcd")), 4)[1] == b"abcd"
