"""What every operator must do, whatever it does.

A test class for an operator inherits `OperatorContract` and says which operator it is about.
"""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privkit.deid.operators import RowContext, build_operator
from privkit.io.frames import Leaf
from privkit.keys.keyfile import Key
from privkit.model.operators import Operator

KEY = Key.from_secret(bytes(range(32)), kept=True)
OTHER = Key.from_secret(bytes(range(1, 33)), kept=True)
TODAY = dt.date(2025, 6, 15)
EMPTY = ("", " ", "\t \n", "\u2003")
MEETS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(
    lambda text: not text.isspace()
)


def context(rows: int, leaves=(), names=None) -> RowContext:
    """A block whose rows differ in nothing but their number."""
    return RowContext(
        leaves={leaf.name: leaf for leaf in leaves},
        rows=rows,
        row_keys=lambda: [b"row %d" % row for row in range(rows)],
        name_of_row=names or {},
    )


def run(operator, values, kind=None, *, rows=None, leaves=(), names=None, name="column") -> list:
    """The operator's answer for one column, checked for type and length."""
    array = values if isinstance(values, pa.Array) else pa.array(values, kind or pa.string())
    leaf = Leaf(name, array, None if rows is None else np.array(rows, np.int64))
    count = len(array) if rows is None else max(rows, default=-1) + 1
    result = operator.apply(leaf, context(count, leaves, names))
    assert isinstance(result, pa.Array)
    assert len(result) == len(array)
    assert result.type == operator.output_type(array.type)
    return result.to_pylist()


class OperatorContract:
    """Inherit, set `spec`, and where they differ the other attributes."""

    spec: Operator
    entity: str | None = "PERSON"
    samples: tuple[str, ...] = ("John Smith", "Mary Jones", "x", "Zoë 王", "12", "John Smith")
    keyed: bool = False
    by_row: bool = False
    keeps_originals: bool = False
    typed: bool = True

    def build(self, key=KEY):
        return build_operator(self.spec, entity=self.entity, key=key, today=TODAY)

    def is_coarse_already(self, value: str) -> bool:
        """Whether the operator may write the value as it is, because it is as coarse as the operator makes it."""
        return False

    def test_nulls_and_empty_texts_stay(self):
        values = [None, *EMPTY, self.samples[0], None]
        answer = run(self.build(), values)
        assert answer[0] is None
        assert answer[-1] is None
        assert answer[1:-2] == list(EMPTY)

    def test_columns_of_nothing(self):
        for values in ([], [None, None], ["", None]):
            assert run(self.build(), values) == values

    def test_the_same_again(self):
        assert run(self.build(), list(self.samples)) == run(self.build(), list(self.samples))

    def test_equal_values_become_equal(self):
        if self.by_row:
            pytest.skip("depends on the row")
        answer = run(self.build(), list(self.samples) * 2)
        assert answer[: len(self.samples)] == answer[len(self.samples) :]

    def test_a_part_of_an_array(self):
        array = pa.array(["before", None, *self.samples, "after"])
        rows = list(range(len(self.samples)))
        part = array.slice(2, len(self.samples))
        assert run(self.build(), part) == run(self.build(), list(self.samples), rows=rows)

    def test_other_types_of_text(self):
        values = [*self.samples, None, ""]
        expected = run(self.build(), values)
        for kind in (pa.large_string(), pa.dictionary(pa.int32(), pa.string())):
            assert [text or None for text in run(self.build(), pa.array(values).cast(kind))] == [
                text or None for text in expected
            ]

    def test_keys(self):
        mine, other = run(self.build(), list(self.samples)), run(self.build(OTHER), list(self.samples))
        assert (mine != other) == self.keyed

    def test_a_finding_like_a_cell(self):
        answer = run(self.build(), list(self.samples))
        block = context(len(self.samples))
        assert [self.build().apply_text(value, row, block) for row, value in enumerate(self.samples)] == answer

    def test_texts_become_texts(self):
        assert self.build().output_type(pa.string()) == pa.string()

    def test_other_types(self):
        if not self.typed:
            pytest.skip("not for every type")
        operator = self.build()
        for array in (
            pa.array([1, None, -5], pa.int64()),
            pa.array([1.5, None, float("nan")]),
            pa.array([True, None, False]),
            pa.array([dt.date(2024, 2, 29), None]),
            pa.array([dt.datetime(2024, 2, 29, 12, 30), None], pa.timestamp("us", "Europe/Berlin")),
            pa.array([dt.time(12, 30), None]),
            pa.array([None, None], pa.null()),
        ):
            answer = run(operator, array)
            assert all(after is None for after, before in zip(answer, array.to_pylist(), strict=True) if before is None)

    @settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.differing_executors])
    @given(value=MEETS)
    def test_no_original_comes_out(self, value):
        if self.keeps_originals:
            return
        (answer,) = run(self.build(), [value])
        assert answer != value or self.is_coarse_already(value)
        assert self.build().apply_text(value, 0, context(1)) == answer
