"""How the benchmarks measure: CPU seconds of a command and all its workers, peak memory, medians."""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Cost:
    """CPU seconds (user + system), wall seconds, peak resident memory of the largest process in MB."""

    cpu: float
    wall: float
    peak_mb: float


def command_cost(arguments: Sequence[str], **environment: str) -> Cost:
    """Runs a command to its end and measures it together with the processes that it waits for."""
    return _ran(arguments, subprocess.DEVNULL, environment)


def command_result(arguments: Sequence[str], **environment: str) -> tuple[dict[str, Any], Cost]:
    """What a command prints, read as JSON, and its cost."""
    with tempfile.TemporaryFile() as printed:
        cost = _ran(arguments, printed, environment)
        printed.seek(0)
        return json.load(printed), cost


def _ran(arguments: Sequence[str], output: Any, environment: dict[str, str]) -> Cost:
    started = time.perf_counter()
    child = subprocess.Popen(arguments, env={**os.environ, **environment}, stdout=output, stderr=subprocess.PIPE)
    message = child.stderr.read() if child.stderr else b""
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - started
    if status:
        raise SystemExit(f"{arguments[:4]} failed: {message.decode()[-500:]}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def call_cost(function: Callable[[], object], runs: int = 3) -> float:
    """Median CPU seconds of calling `function` in this process."""
    spent = []
    for _ in range(runs):
        before = time.process_time()
        function()
        spent.append(time.process_time() - before)
    return statistics.median(spent)


def own_peak_mb() -> float:
    """Peak resident memory of this process, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def publish(result: dict[str, Any]) -> None:
    """Prints a benchmark's result as JSON, with the machine it ran on."""
    machine = {"python": platform.python_version(), "processors": os.cpu_count(), "machine": platform.machine()}
    json.dump({**result, "machine": machine}, sys.stdout, indent=2)
    print()
