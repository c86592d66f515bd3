"""A PostgreSQL server for tests: Debian's, on loopback, as a normal user, in a temporary folder.

Where it is missing its tests are skipped with a message, but never where CI=true.
"""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest

PASSWORD = "correct horse battery staple"
OWNER = "keeper"
_ROOM = 2 << 30


def program(name):
    """Where one of PostgreSQL's programs is; Debian keeps the server's out of the path."""
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return shutil.which(name) or (str(kept[-1]) if kept else None)


def require():
    """Skips where there is no PostgreSQL; fails in CI."""
    if program("initdb") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("PostgreSQL is missing in CI: .ci/run installs Debian's")
        pytest.skip("needs PostgreSQL's server: apt-get install postgresql")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _quick_place():
    """In memory, where there is room for it: a server that is stopped by force syncs every file at its next start."""
    memory = Path("/dev/shm")
    return memory if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ROOM else None


class Cluster:
    """One server with a superuser `keeper`; over TCP a password is asked, over its socket none."""

    password = PASSWORD

    def __init__(self, parent=None):
        self.folder = Path(tempfile.mkdtemp(prefix="privkit-postgres-", dir=parent or _quick_place()))
        self.data = self.folder / "data"
        self.port = _free_port()
        self._number = 0
        self._as = {}
        if os.getuid() == 0:  # the server refuses to run as root
            names = {entry.pw_name for entry in pwd.getpwall()}
            user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self.run(
            *("initdb", "--pgdata", self.data, "--username", OWNER, "--pwfile", secret),
            *("--encoding", "UTF8", "--locale", "C", "--auth-local", "trust", "--auth-host", "scram-sha-256"),
        )
        self.start()

    def run(self, name, *arguments, check=True):
        """One of its programs, as the server's user."""
        return subprocess.run(
            [program(name), *map(str, arguments)],
            check=check,
            capture_output=True,
            text=True,
            cwd=self.folder,
            timeout=120,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            **self._as,
        )

    def start(self):
        options = f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories={self.folder}"
        if int((self.data / "PG_VERSION").read_text()) >= 14 and sys.platform == "linux":
            options += " -c recovery_init_sync_method=syncfs"  # after a stop by force: not file by file
        # The log goes to a file: a server that inherits our pipes would keep them open.
        self.run(
            *(
                "pg_ctl",
                "start",
                "--wait",
                "--timeout",
                "120",
                "--pgdata",
                self.data,
                "--log",
                self.folder / "log",
                "--options",
                options,
            )
        )

    def stop(self, mode="immediate"):
        """`immediate` is a crash: what was not committed is lost, and the next start recovers."""
        self.run("pg_ctl", "stop", "--wait", "--pgdata", self.data, "--mode", mode, check=False)

    def sql(self, statement, database="postgres"):
        """What one statement gives, unaligned, as the superuser."""
        done = self.run("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", *self._where(database), "-c", statement)
        return done.stdout.strip()

    def _where(self, database):
        return ("-h", self.folder, "-p", self.port, "-U", OWNER, "-d", database)

    def database(self, template="template0"):
        """The name of a new, empty database."""
        self._number += 1
        name = f"db{self._number}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def url(self, database="postgres", user=OWNER, password=None):
        """Its address on loopback; the password is left to PGPASSWORD unless given."""
        secret = "" if password is None else ":" + password.replace(" ", "%20")
        return f"postgresql://{user}{secret}@127.0.0.1:{self.port}/{database}"

    def close(self):
        self.stop()
        for _ in range(50):
            with suppress(OSError):
                shutil.rmtree(self.folder)
            if not self.folder.exists():
                return
            time.sleep(0.1)
