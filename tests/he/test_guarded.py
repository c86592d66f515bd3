"""The child: it dies alone, it does not hang, it sees nothing that it does not need."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from privkit.errors import CiphertextError, InterruptedRunError
from privkit.he import encoding, requests, structure, sums
from privkit.he.guarded import Guard

linux = pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="reads /proc")


def _pid(guard):
    return guard._running().pid


def test_bytes_that_pass_no_check_do_crash_native_code(context):
    """The control: what the checks are for. TenSEAL reads as many slots as `sizes` says, wherever they end."""
    content = sums.encrypt(context.public, np.arange(5))
    with pytest.raises(CiphertextError):
        sums.check(structure.write_vector([content[6:]], 5, 4096), context.parameters, 5)
    lying = b"\x0a\x04" + encoding.varint(50_000_000) + content[3:]
    with Guard() as guard:
        guard.load(context)
        with pytest.raises(InterruptedRunError, match=r"died \(signal 11\)|died") as caught:
            guard.ask(requests.DECRYPT, lying)
        assert caught.value.exit_code == 1
        # The next request gets a new child.
        assert sums.decrypt(context, content, 5, guard=guard).tolist() == list(range(5))


def test_a_short_lie_leaks_memory_without_the_checks(context):
    content = sums.encrypt(context.public, np.arange(5))
    lying = b"\x0a\x02" + encoding.varint(8000) + content[3:]
    with pytest.raises(CiphertextError, match="sizes"):
        sums.check(lying, context.parameters, 8000)
    with Guard() as guard:
        guard.load(context)
        try:
            answer = guard.ask(requests.DECRYPT, lying)
        except InterruptedRunError:
            return
        assert len(answer) == 8 * 8000  # 3,904 of them are not the ciphertext's


def test_a_child_that_does_not_answer_is_ended(context):
    with Guard(seconds=0.3) as guard:
        guard.load(context.public)
        os.kill(_pid(guard), signal.SIGSTOP)
        with pytest.raises(InterruptedRunError, match=r"no answer in 0\.3 seconds"):
            guard.ask(requests.ENCRYPT, bytes(8))


def test_a_death_over_a_peers_bytes_is_the_peers(context, monkeypatch):
    content = sums.encrypt(context.public, np.arange(5))
    with Guard() as guard:
        guard.load(context.public)
        ask = guard.ask

        def dying(tag, *parts):
            if tag == requests.ADD:
                os.kill(_pid(guard), signal.SIGSEGV)
            return ask(tag, *parts)

        monkeypatch.setattr(guard, "ask", dying)
        with pytest.raises(CiphertextError, match=r"vector 1 of the sum: .*died|passed every check.*died") as caught:
            sums.add(context.public, [content], 5, guard=guard)
        assert caught.value.exit_code == 5


def test_a_child_that_died_before_it_was_asked_is_no_refusal(context):
    """Another has no context: it would refuse bytes that are right."""
    content = sums.encrypt(context.public, np.arange(5))
    with Guard() as guard:
        guard.load(context)
        guard._child.kill()
        guard._child.wait()
        with pytest.raises(InterruptedRunError, match="died"):
            guard.ask(requests.DECRYPT, content[6:])
        assert sums.decrypt(context, content, 5, guard=guard).tolist() == list(range(5))


def test_what_tenseal_refuses_is_a_typed_error_without_its_words(context, guard):
    guard.load(context.public)
    with pytest.raises(CiphertextError, match="TenSEAL refuses"):
        guard.ask(requests.DECRYPT, b"canary 4711")
    with pytest.raises(CiphertextError, match="TenSEAL refuses"):
        guard.ask(b"?", b"")


def test_a_context_that_seal_understands_otherwise_is_refused(context, guard, monkeypatch):
    from privkit.he.parameters import ALLOWED, Parameters

    other = ALLOWED["bfv-4096-46-3"].written()
    monkeypatch.setattr(Parameters, "written", lambda self: other)
    with Guard() as fresh, pytest.raises(CiphertextError):
        fresh.load(context.public)


@linux
def test_the_child_has_limits_and_no_environment(monkeypatch):
    monkeypatch.setenv("CANARY_TOKEN", "s3cret-4711")
    with Guard() as guard:
        guard.ask(requests.NEW, bytes.fromhex("0010000000000000") + (70368743669761).to_bytes(8, "little"))
        place = Path(f"/proc/{_pid(guard)}")
        assert b"CANARY" not in (place / "environ").read_bytes()
        limits = (place / "limits").read_text()
        for name, most in (("Max core file size", "0"), ("Max file size", "0"), ("Max open files", "64")):
            (line,) = [line for line in limits.splitlines() if line.startswith(name)]
            assert line[len("Max realtime timeout      ") :].split()[0] == most, line
        assert "Max cpu time" in limits
        (cpu,) = [line for line in limits.splitlines() if line.startswith("Max cpu time")]
        assert "unlimited" not in cpu.split()[3]
        modules = (place / "maps").read_text()
        assert "_tenseal_cpp" in modules
        assert "numpy" not in modules


@linux
def test_the_child_ends_with_its_parent():
    code = (
        "import os, sys; from privkit.he.guarded import Guard; g = Guard(); p = g._running(); "
        "print(p.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    pid = int(done.stdout)
    for _ in range(100):
        status = Path(f"/proc/{pid}/stat")
        if not status.exists() or status.read_text().split()[2] == "Z":
            return
        time.sleep(0.05)
    raise AssertionError("the child outlived its parent")


def test_importing_the_room_loads_no_native_code():
    code = (
        "import sys, privkit.he.sums, privkit.he.guarded; "
        "print([m for m in sys.modules if 'tenseal' in m or 'seal' in m.split('.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
