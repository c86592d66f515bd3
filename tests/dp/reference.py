"""The bounded aggregate in plain Python, from the rules and not from the expressions: what engines must equal."""

import datetime
import hashlib
import math
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

import numpy as np

from privkit.dp.grid import EPOCH, grid_of, regrid
from privkit.dp.plan import Aggregates, Plan
from privkit.dp.vectors import Cells, Units
from privkit.model.query import And, ByBands, ByBuckets, ByColumn, Comparison, In, IsMissing, Not, Or

PRIME = 2**31 - 1


def aggregate(plan: Plan, rows: list[dict]) -> Aggregates:
    """`privkit.dp.bounding.aggregate` of rows as dictionaries by the source's names."""
    held = _kept(plan, _by_unit_and_group(plan, rows))
    keys = plan.keys.cells
    if keys is None:
        keys = tuple(sorted({key for _, key in held}, key=lambda key: [text.encode() for text in key]))
    place = {key: i for i, key in enumerate(keys)}
    vectors = {}
    for block in plan.blocks:
        sums = [[0] * len(block.vector.coordinates) for _ in keys]
        for (_, key), values in held.items():
            sums[place[key]] = [
                a + b for a, b in zip(sums[place[key]], _partial(plan, block.vector, values), strict=True)
            ]
        limits = plan.ranges(block.vector)
        cut = [[max(low, min(high, s)) for s, (low, high) in zip(row, limits, strict=True)] for row in sums]
        vectors[block.vector.name] = np.array(cut, dtype=np.int64).reshape(len(keys), len(block.vector.coordinates))
    units = np.zeros(len(keys), dtype=np.int64)
    for _, key in held:
        units[place[key]] = min(units[place[key]] + 1, plan.bounds.units)
    return Aggregates(tuple(keys), vectors, None if plan.threshold is None else units)


def distances(plan: Plan, one: Aggregates, other: Aggregates):
    """For each block L1 and squared L2 distance of the weighted vectors of all groups, and that of the units."""
    found = {}
    for block in plan.blocks:
        a, b = (_rows(part, block.vector.weighted(part.vectors[block.vector.name])) for part in (one, other))
        width = block.vector.measured_coordinates
        moves = [
            x - y
            for key in a.keys() | b.keys()
            for x, y in zip(a.get(key, [0] * width), b.get(key, [0] * width), strict=True)
        ]
        found[block.vector.name] = sum(map(abs, moves)), sum(move * move for move in moves)
    if plan.threshold is not None:
        a, b = (
            dict(zip(one.keys, one.units.tolist(), strict=True)),
            dict(zip(other.keys, other.units.tolist(), strict=True)),
        )
        found["units of keys"] = sum(abs(a.get(k, 0) - b.get(k, 0)) for k in a.keys() | b.keys()), None
    return found


def _rows(part: Aggregates, weighted) -> dict:
    return dict(zip(part.keys, weighted.tolist(), strict=True))


# ---- rows


def _by_unit_and_group(plan: Plan, rows):
    spec, held = plan.spec, defaultdict(list)
    for i, row in enumerate(rows):
        values = {name: reading(spec.columns[name], row[spec.source_name(name)]) for name in plan.query.columns()}
        unit = i if plan.bounds.column is None else row[plan.bounds.column]
        key = tuple(_key(group, spec, values) for group in plan.query.groups)
        passed = plan.query.where is None or truth(plan.query.where, values, spec) is True
        if passed and unit is not None and None not in key:
            held[unit, key].append(values)
    return held


def _kept(plan: Plan, held):
    groups = defaultdict(list)
    for unit, key in held:
        groups[unit].append(key)
    kept = {}
    for unit, keys in groups.items():
        for key in sorted(keys, key=lambda key, unit=unit: _order(plan, unit, key))[: plan.bounds.groups]:
            kept[unit, key] = held[unit, key]
    return kept


def _order(plan: Plan, unit, key):
    """Where a group stands in its unit's order: by a number of both, then by the group itself."""
    labels = [_labels(group, plan.spec) for group in plan.query.groups]
    number, code = number_of(unit), 0
    public = [(label, text) for label, text in zip(labels, key, strict=True) if label is not None]
    for label, text in public:
        code = code * len(label) + label.index(text)
    private = [text for label, text in zip(labels, key, strict=True) if label is None]
    if public or not private:
        number = mixed(number, code)
    for text in private:
        number = mixed(number, number_of(text))
    return number, code, [text.encode() for text in private]


def _labels(group, spec):
    match group:
        case ByColumn() if spec.columns[group.column].type == "boolean":
            return ["false", "true"]
        case ByColumn():
            return spec.columns[group.column].categories
        case ByBands():
            return list(
                dict.fromkeys([b.label for b in group.bands] + [group.otherwise] * (group.otherwise is not None))
            )
        case ByBuckets():
            return [str(i) for i in range(group.count + 2)]


def number_of(value) -> int:
    """A unit's or a text's number."""
    if isinstance(value, int):
        return value % PRIME
    return int(hashlib.md5(value.encode()).hexdigest()[:8], 16) % PRIME


def mixed(unit: int, code: int) -> int:
    """What orders a unit's groups."""
    x = (unit * 48271 + (code + 1) * 1640531527) % PRIME
    x = (x * x + unit) % PRIME
    return (x * x + code) % PRIME


# ---- vectors


def _partial(plan: Plan, vector, values):
    if isinstance(vector, Units):
        return [1]
    there = [v for v in values if all(v[column] is not None for column in vector.present)]
    grids = [vector.grid] if isinstance(vector, Cells) else vector.grids
    rows = [[index(plan, v, grid) for grid in grids] for v in there]
    if isinstance(vector, Cells):
        return _cells(plan, vector, [k for (k,) in rows])
    sums = (
        [sum(c) for c in zip(*(vector.row(ks) for ks in rows), strict=True)] if rows else [0] * len(vector.coordinates)
    )
    return [scaled(s, len(rows), plan.bounds.rows) for s in sums]


def scaled(total: int, rows: int, most: int) -> int:
    """trunc(total·most/rows) where rows > most."""
    return total if rows <= most else int(math.copysign(1, total)) * (abs(total) * most // rows)


def ranks(rows: int, most: int) -> list[int]:
    """The sorted ranks that count."""
    return list(range(rows)) if rows <= most else [(2 * j + 1) * rows // (2 * most) for j in range(most)]


def _cells(plan, vector, ks):
    counts, ordered = [0] * vector.cells, sorted(ks)
    for rank in ranks(len(ks), plan.bounds.rows):
        counts[min(ordered[rank] * vector.cells // vector.grid.steps, vector.cells - 1)] += 1
    return counts


# ---- values


def reading(declared, raw):
    """A source's value as the declared type; None where it is missing."""
    if raw is None or (isinstance(raw, float) and math.isnan(raw)):
        return None
    match declared.type:
        case "category":
            return raw if isinstance(raw, str) else str(raw).lower()
        case "date":
            return _date(raw)
        case "boolean":
            return _boolean(raw)
        case "integer" if isinstance(raw, str):
            return _whole(raw)
        case _:
            number = _float(raw) if isinstance(raw, str) else raw
            return None if number is None or number != number else number


def _date(raw):
    if isinstance(raw, str):
        try:
            return datetime.date.fromisoformat(raw.strip())
        except ValueError:
            return None
    return raw.date() if isinstance(raw, datetime.datetime) else raw


def _boolean(raw):
    if isinstance(raw, str):
        word = raw.strip().lower()
        return (
            True
            if word in ("true", "t", "yes", "y", "1")
            else False
            if word in ("false", "f", "no", "n", "0")
            else None
        )
    return {0: False, 1: True}.get(raw)


def _float(text):
    try:
        return float(text)
    except ValueError:
        return None


def _whole(text):
    number = _float(text)
    if number is None or math.isnan(number):
        return None
    exact = Fraction(text.strip()) if math.isfinite(number) else Fraction(2) ** 64 * (1 if number > 0 else -1)
    rounded = math.floor((Fraction(number) if abs(number) < 2**53 else exact) + Fraction(1, 2))
    return max(-(2**63), min(2**63 - 1, rounded))


def index(plan, values, grid):
    """k of a row on a vector's grid."""
    declared = plan.spec.columns[grid.column]
    own = grid_of(grid.column, declared)
    value = values[grid.column]
    if value is None:
        return int(grid.missing)
    return int(regrid(_index(declared.type, value, own), own.steps, grid.steps))


def _index(kind, value, grid):
    if kind == "boolean":
        return int(value)
    if kind == "date":
        value = (value - EPOCH).days
    if kind == "float":
        low, high, step = float(grid.low), float(grid.high), float(grid.step)
        clipped = max(low, min(high, float(value)))
        return max(0, min(grid.steps, math.floor((clipped - low) / step + 0.5)))
    clipped = max(grid.low, min(grid.high, value))
    return math.floor(Fraction(clipped) + Fraction(1, 2)) - int(grid.low)


# ---- conditions and groups


def truth(wanted, values, spec):
    """True, False or None."""
    match wanted:
        case And():
            parts = [truth(part, values, spec) for part in wanted.parts]
            return False if False in parts else None if None in parts else True
        case Or():
            parts = [truth(part, values, spec) for part in wanted.parts]
            return True if True in parts else None if None in parts else False
        case Not():
            inner = truth(wanted.part, values, spec)
            return None if inner is None else not inner
        case IsMissing():
            return values[wanted.column] is None
        case In():
            return truth(
                Or(parts=[Comparison(column=wanted.column, operator="=", value=v) for v in wanted.values] * 2),
                values,
                spec,
            )
        case Comparison():
            return _compared(spec.columns[wanted.column].type, values[wanted.column], wanted.operator, wanted.value)


def _compared(kind, value, sign, text):
    if value is None:
        return None
    if kind == "category":
        value, other = value.encode(), text.encode()
    elif kind == "date":
        other = datetime.date.fromisoformat(text)
    elif kind == "boolean":
        other = text == "true"
    else:
        other = float(Fraction(text)) if isinstance(value, float) else Fraction(text)
        value = value if isinstance(value, float) else Fraction(value)
    return {
        "=": value == other,
        "!=": value != other,
        "<": value < other,
        "<=": value <= other,
        ">": value > other,
        ">=": value >= other,
    }[sign]


def _key(group, spec, values):
    value, labels = values[group.column], _labels(group, spec)
    if value is None:
        return None
    match group:
        case ByColumn():
            text = str(value).lower() if isinstance(value, bool) else value
            return text if labels is None or text in labels else None
        case ByBands():
            for band in group.bands:
                if truth(band.condition, values, spec) is True:
                    return band.label
            return group.otherwise
        case ByBuckets():
            return str(_bucket(group, spec.columns[group.column].type, value))


def _bucket(group, kind, value):
    if kind == "date":
        low, high = ((datetime.date.fromisoformat(text) - EPOCH).days for text in (group.low, group.high))
        value = (value - EPOCH).days
    else:
        low, high = Fraction(group.low), Fraction(group.high)
    if isinstance(value, (float, Decimal)):
        value, width = float(value), float(high - low)
        if value < float(low):
            return 0
        if value >= float(high):
            return group.count + 1
        return min(group.count - 1, math.floor((value - float(low)) * group.count / width)) + 1
    if value < low:
        return 0
    return group.count + 1 if value >= high else math.floor((value - low) * group.count / Fraction(high - low)) + 1
