"""`privkit` and `python -c` for many short runs: one process that has everything imported, and forks for each call.

Starting anew costs seconds of imports for each command that a page shows. What a call does is the same: its own
process, arguments, folder, environment and streams. `python tests/warm.py SOCKET` serves until its standard input ends.
"""

import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
import threading
import traceback
import types
import warnings
from pathlib import Path

CLIENT = """#!{python} -SE
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    asked = json.dumps([sys.argv, os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(server, [len(asked).to_bytes(8, "big")], [0, 1, 2])
    server.sendall(asked)
    answer = server.recv(1)
sys.exit(answer[0] if answer else 70)
"""
_THIRD = ("pandas", "presidio_analyzer", "presidio_anonymizer", "spacy", "opendp.prelude", "ibis", "duckdb", "sqlglot")


def _load() -> None:
    import privkit

    for found in pkgutil.walk_packages(privkit.__path__, "privkit."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
    for name in _THIRD:
        importlib.import_module(name)


def _call(connection: socket.socket) -> int:
    from privkit.cli import main

    length, files, _, _ = socket.recv_fds(connection, 8, 3)
    asked = b""
    while len(asked) < int.from_bytes(length, "big"):
        asked += connection.recv(1 << 16)
    (program, *arguments), folder, environment = json.loads(asked)
    for number, file in enumerate(files):
        os.dup2(file, number)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, encoding="utf-8", closefd=False) for number, mode in ((0, "r"), (1, "w"), (2, "w"))
    )
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    code = _run(arguments[-1]) if Path(program).name == "python-c" else main(arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def _run(code: str) -> int:
    """As `python -W error -c`."""
    warnings.simplefilter("error")
    sys.argv = ["-c"]
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    try:
        exec(compile(code, "<page>", "exec"), vars(module))
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def serve(address: str) -> None:
    """Answers calls, one after the other, each in a process of its own."""
    _load()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        print("ready", flush=True)
        while True:
            connection, _ = listening.accept()
            with connection:
                child = os.fork()
                if child == 0:
                    code = 70
                    try:
                        signal.signal(signal.SIGINT, signal.default_int_handler)
                        code = _call(connection)
                    finally:
                        os._exit(code)
                _, status = os.waitpid(child, 0)
                connection.sendall(bytes([os.waitstatus_to_exitcode(status) & 255]))


def write_client(path: Path, address: str) -> None:
    """A program at `path` that is called as `privkit` is, or, under the name `python-c`, runs its last argument."""
    path.write_text(CLIENT.format(python=sys.executable, address=address), encoding="utf-8")
    path.chmod(0o755)


if __name__ == "__main__":
    # Whoever started this holds the other end of standard input: when that is gone, so is the need.
    threading.Thread(target=lambda: (os.read(0, 1), os._exit(0)), daemon=True).start()
    serve(sys.argv[1])
