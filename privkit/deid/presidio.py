"""privkit's value operators as operators of Presidio's `AnonymizerEngine`.

    engine = AnonymizerEngine()
    engine.add_anonymizer(PseudonymAnonymizer)
    engine.anonymize(text, results, {"PERSON": OperatorConfig("pseudonym", {"key": "team.key"})})

The parameter `key` is a `Key` or the path of a key file; the others are those of privkit's operators, and Presidio adds
`entity_type`. What comes out is what `privkit deidentify` writes for the same value under the same key.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
from presidio_anonymizer.entities import InvalidParamError
from presidio_anonymizer.operators import Operator, OperatorType
from pydantic import ValidationError

from privkit.deid.operators import ColumnOperator, RowContext, build_operator
from privkit.deid.operators.dates import today_utc
from privkit.errors import PrivkitError
from privkit.io.frames import Leaf
from privkit.keys.keyfile import Key
from privkit.keys.tokens import Tokens
from privkit.model.operators import DateShift, Generalize, KeyedHash, Pseudonym, Surrogate
from privkit.model.operators import Operator as Spec

_UNIT = "unit"
_UNUSED = Key.from_secret(bytes(32), kept=False)  # for operators that draw nothing from a key


class _Adapter(Operator):
    """One of privkit's operators with Presidio's face: made without arguments, told everything at each call."""

    spec: ClassVar[type[Pseudonym | KeyedHash | Surrogate | DateShift | Generalize]]
    needs_key: ClassVar[bool] = True

    def operate(self, text: str = "", params: Mapping[str, Any] | None = None) -> str:
        """What stands in place of `text`.

        Args:
            text: The finding.
            params: `key`, `entity_type`, and the operator's own parameters.
        """
        given = dict(params or {})
        return self._operator(given).apply_text(text, 0, _context(given.get(_UNIT)))

    def validate(self, params: Mapping[str, Any] | None = None) -> None:
        """Checks the parameters.

        Raises:
            InvalidParamError: One is missing, unknown, or has a value that does not fit.
        """
        self._operator(dict(params or {}))

    def _operator(self, given: Mapping[str, Any]) -> ColumnOperator:
        key = _key(given) if self.needs_key or "key" in given else _UNUSED
        return _built(_spec(self.spec, given), given.get("entity_type"), key, today_utc())

    def operator_name(self) -> str:
        """The operator's name in policies and in `OperatorConfig`."""
        return str(self.spec.model_fields["operator"].default)

    def operator_type(self) -> OperatorType:
        """It anonymizes."""
        return OperatorType.Anonymize


class PseudonymAnonymizer(_Adapter):
    """`pseudonym`: `key`, `reversible`."""

    spec = Pseudonym


class KeyedHashAnonymizer(_Adapter):
    """`keyed_hash`: `key`, `length`."""

    spec = KeyedHash


class SurrogateAnonymizer(_Adapter):
    """`surrogate`: `key`, `locale`."""

    spec = Surrogate


class GeneralizeAnonymizer(_Adapter):
    """`generalize`: `to`, `band`, `top`, `digits`, `oldest`, …; it needs no key."""

    spec = Generalize
    needs_key = False


class DateShiftAnonymizer(_Adapter):
    """`date_shift`: `key`, `days`, `format`, and `unit`, here the value itself whose dates share one shift."""

    spec = DateShift

    def validate(self, params: Mapping[str, Any] | None = None) -> None:
        """See `_Adapter.validate`; `unit` must be there.

        Raises:
            InvalidParamError: One is missing, unknown, or has a value that does not fit.
        """
        unit = (params or {}).get(_UNIT)
        if not isinstance(unit, str) or not unit.strip():
            raise InvalidParamError(
                "date_shift needs `unit`: a text, e.g. the patient's number, that chooses the shift"
            )
        super().validate(params)


class PseudonymDeanonymizer(Operator):
    """`pseudonym` the other way, for `DeanonymizeEngine.add_deanonymizer`: reversible tokens become their values."""

    def operate(self, text: str = "", params: Mapping[str, Any] | None = None) -> str:
        """The value behind a token.

        Args:
            text: The token.
            params: `key`.

        Raises:
            KeyFileError: Another key made the token.
            InputError: It is no reversible token, or it was altered.
        """
        return _tokens(_key(params or {})).open_token(text)

    def validate(self, params: Mapping[str, Any] | None = None) -> None:
        """Checks the parameters.

        Raises:
            InvalidParamError: `key` is missing or no key.
        """
        _key(params or {})

    def operator_name(self) -> str:
        """The name in `OperatorConfig`."""
        return "pseudonym"

    def operator_type(self) -> OperatorType:
        """It deanonymizes."""
        return OperatorType.Deanonymize


ANONYMIZERS = (
    PseudonymAnonymizer,
    KeyedHashAnonymizer,
    SurrogateAnonymizer,
    GeneralizeAnonymizer,
    DateShiftAnonymizer,
)


def _spec(kind: type[Pseudonym | KeyedHash | Surrogate | DateShift | Generalize], given: Mapping[str, Any]) -> Spec:
    own = {name: value for name, value in given.items() if name not in ("key", "entity_type", _UNIT)}
    if kind is DateShift:
        own[_UNIT] = _UNIT
    elif _UNIT in given:
        raise InvalidParamError(f"{kind.__name__}: there is no parameter {_UNIT}")
    try:
        return kind(**own)
    except ValidationError as error:
        names = sorted({str(one["loc"][0]) for one in error.errors() if one["loc"]})
        raise InvalidParamError(f"{kind.__name__}: parameters that do not fit: {', '.join(names) or 'all'}") from None


def _key(given: Mapping[str, Any]) -> Key:
    key = given.get("key")
    if isinstance(key, Key):
        return key
    try:
        if isinstance(key, str | Path):
            return _loaded(os.fspath(key), Path(key).stat().st_mtime_ns)
    except OSError:
        raise InvalidParamError("`key`: the key file cannot be found") from None
    except PrivkitError as error:
        raise InvalidParamError(f"`key`: {error.message}") from None
    raise InvalidParamError("`key` must be a privkit Key or the path of a key file")


def _context(unit: str | None) -> RowContext:
    leaves = {} if unit is None else {_UNIT: Leaf(_UNIT, pa.array([unit], pa.string()), None)}
    return RowContext(leaves=leaves, rows=1, row_keys=lambda: (b"",), name_of_row={})


@lru_cache(maxsize=16)
def _loaded(path: str, changed: int) -> Key:
    del changed  # another time of change is another file
    return Key.load(path)


@lru_cache(maxsize=16)
def _tokens(key: Key) -> Tokens:
    return Tokens(key)


@lru_cache(maxsize=256)
def _built(spec: Spec, entity: str | None, key: Key, today: dt.date) -> ColumnOperator:
    try:
        return build_operator(spec, entity=entity, key=key, today=today)
    except PrivkitError as error:
        raise InvalidParamError(error.message) from None
