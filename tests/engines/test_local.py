"""Blocks through worker processes: order, bounded look-ahead, errors that keep their data, workers that die."""

import os
import signal

import pytest

from privkit.engines.local import map_ordered
from privkit.engines.workers import WorkerBugError
from privkit.errors import ColumnError, InputError, InterruptedRunError

HANDLERS = """
import os, time
from privkit.errors import ColumnError, InputError

def upper(spec):
    prefix = spec.decode()
    def handle(item):
        time.sleep(0.02 if item == b"slow" else 0)
        return prefix.encode() + item.upper()
    return handle

def pid(spec):
    return lambda item: str(os.getpid()).encode()

def columns(spec):
    def handle(item):
        raise ColumnError("column a is doubled", columns=("a", "b"), hint="rename one")
    return handle

def rows(spec):
    def handle(item):
        raise InputError("row is cut", path="x.csv", row=7)
    return handle

def bug(spec):
    def handle(item):
        raise ZeroDivisionError("secret canary 4711")
    return handle

def dies(spec):
    def handle(item):
        if item == b"3":
            os.kill(os.getpid(), 9)
        return item
    return handle

def dies_once(spec):
    def handle(item):
        if item == b"3" and not os.path.exists(spec):
            open(spec, "w").close()
            os.kill(os.getpid(), 9)
        return item
    return handle

def ends(spec):
    def handle(item):
        raise EOFError
    return handle

def prints(spec):
    def handle(item):
        print("noise on stdout")
        os.write(1, b"more noise")
        return item
    return handle
"""


@pytest.fixture
def handlers(tmp_path, monkeypatch):
    (tmp_path / "some_handlers.py").write_text(HANDLERS)
    monkeypatch.syspath_prepend(tmp_path)
    return "some_handlers"


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_results_come_in_the_order_of_the_items(handlers, workers):
    items = [b"slow" if n % 3 == 0 else str(n).encode() for n in range(20)]
    results = list(map_ordered(f"{handlers}:upper", b"p", items, workers=workers))
    assert results == [b"p" + item.upper() for item in items]


def test_several_workers_are_other_processes(handlers):
    pids = set(map_ordered(f"{handlers}:pid", b"", [b"x"] * 8, workers=2))
    assert str(os.getpid()).encode() not in pids


def test_items_are_drawn_only_as_fast_as_they_are_worked_on(handlers):
    drawn = []

    def items():
        for n in range(100):
            drawn.append(n)
            yield str(n).encode()

    results = map_ordered(f"{handlers}:upper", b"", items(), workers=2)
    next(results)
    assert len(drawn) <= 4
    results.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_keep_their_type_and_data(handlers, workers):
    with pytest.raises(ColumnError) as caught:
        list(map_ordered(f"{handlers}:columns", b"", [b"x"], workers=workers))
    assert caught.value.columns == ("a", "b")
    assert caught.value.hint == "rename one"
    assert str(caught.value) == "column a is doubled"
    with pytest.raises(InputError) as input_error:
        list(map_ordered(f"{handlers}:rows", b"", [b"x"], workers=workers))
    assert input_error.value.row == 7


def test_an_unknown_error_leaves_the_worker_without_its_message(handlers):
    with pytest.raises(WorkerBugError) as caught:
        list(map_ordered(f"{handlers}:bug", b"", [b"x"], workers=2))
    assert str(caught.value) == "ZeroDivisionError"


def test_workers_that_die_at_an_item_are_replaced_twice(handlers):
    items, warnings = [str(n).encode() for n in range(10)], []
    with pytest.raises(InterruptedRunError, match=f"signal {int(signal.SIGKILL)}"):
        list(map_ordered(f"{handlers}:dies", b"", items, workers=2, warned=warnings.append))
    assert len(warnings) == 2


def test_the_work_of_one_that_dies_is_done_again(handlers, tmp_path):
    mark = tmp_path / "died"
    items, warnings = [str(n).encode() for n in range(10)], []
    results = map_ordered(f"{handlers}:dies_once", str(mark).encode(), items, workers=2, warned=warnings.append)
    assert list(results) == items
    assert mark.exists()
    assert len(warnings) == 1


def test_an_end_of_file_in_a_handler_is_not_taken_for_a_death(handlers):
    with pytest.raises(WorkerBugError, match="EOFError"):
        list(map_ordered(f"{handlers}:ends", b"", [b"x"], workers=2))


def test_what_a_library_prints_does_not_fall_into_the_pipe(handlers):
    assert list(map_ordered(f"{handlers}:prints", b"", [b"a", b"b"], workers=2)) == [b"a", b"b"]


def test_large_items_and_specs_pass(handlers):
    big = b"a" * 3_000_000
    assert next(map_ordered(f"{handlers}:upper", b"s" * 300_000, [big], workers=2)) == b"s" * 300_000 + big.upper()
