"""Where a download goes: a `.part` beside its target until it is whole, or an open file."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, Self

from apiclient_app.exceptions import InvalidRequest, TransportError
from apiclient_app.kept import parsed, whole

from .ranges import Version, sendable

if sys.platform != "win32":
    import fcntl

PIECE = 262_144
FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


class Landing(Protocol):
    """`size` bytes have come so far, of `version`. Without a version they cannot be added to."""

    version: Version | None
    size: int

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def begin(self, version: Version) -> None:
        """Start over with another version."""
        ...

    def cut(self, size: int) -> None:
        """Keep the first `size` bytes."""
        ...

    def write(self, piece: bytes) -> None: ...

    def settle(self) -> None:
        """See to it that what was written stays, whatever happens to the machine."""
        ...

    def publish(self) -> None:
        """It is whole: show it."""
        ...


class Part:
    """A file that takes its name when it is whole. What is left of a try is there for the next.

    `mark` says what is downloaded: a part of something else is not added to.
    """

    def __init__(self, target: str | os.PathLike[str], mark: str) -> None:
        self.target = Path(target)
        self.path = self.target.with_name(f"{self.target.name}.part")
        self.sidecar = self.target.with_name(f"{self.target.name}.part.json")
        self._mark = mark
        self.version: Version | None = None
        self.size = 0

    def __enter__(self) -> Self:
        if self.target.exists() and not self.target.is_file():
            raise InvalidRequest(f"{self.target} is no file; give an open one, or another path.")
        self._file = held(self.path)
        size = os.fstat(self._file.fileno()).st_size
        self.version = self._remembered(size)
        self.size = size if self.version else 0
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if not self._file.closed and self.size == 0:
                forget(self.path, self.sidecar)
        finally:
            self._file.close()

    def _remembered(self, size: int) -> Version | None:
        try:
            kept = parsed(self.sidecar.read_text())
            etag, modified = sendable(kept["etag"]), sendable(kept["modified"])
            length = None if kept["length"] is None else whole(kept["length"])
            if kept["mark"] == self._mark and (length is None or size <= length):
                return Version(etag, modified, length)
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return None

    def begin(self, version: Version) -> None:
        self.cut(0)
        self.version = version if version.validator else None
        if self.version is None:
            forget(self.sidecar)
            return
        kept = {"etag": version.etag, "modified": version.modified, "length": version.length}
        self.sidecar.write_text(json.dumps({"mark": self._mark, **kept}))

    def cut(self, size: int) -> None:
        self._file.seek(size)
        self._file.truncate()
        self.size = size

    def write(self, piece: bytes) -> None:
        self._file.write(piece)
        self.size += len(piece)

    def settle(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())

    def publish(self) -> None:
        if sys.platform == "win32":  # where what is open has to keep its name
            self._file.close()
        self.path.replace(self.target)
        self._file.close()
        forget(self.sidecar)


class Handed:
    """A file that the caller has opened, and closes: written to from where it stands."""

    def __init__(self, file: Any) -> None:
        if isinstance(file, io.TextIOBase) or not callable(getattr(file, "write", None)):
            raise InvalidRequest("A download goes to a path, or to a file that takes bytes.")
        self._file = file
        self.version: Version | None = None
        self.size = 0
        self._start: int | None = None
        with suppress(AttributeError, OSError):
            self._start = file.tell() if file.seekable() else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def begin(self, version: Version) -> None:
        if self.size:
            self.cut(0)
        self.version = version if version.validator else None

    def cut(self, size: int) -> None:
        if size == self.size:
            return
        if self._start is None:
            raise TransportError("The answer broke off, and this file cannot be wound back.")
        self._file.seek(self._start + size)
        self._file.truncate()
        self.size = size

    def write(self, piece: bytes) -> None:
        rest = memoryview(piece)
        while rest:  # an unbuffered file may take a part of it
            taken = self._file.write(rest)
            rest = rest[taken if isinstance(taken, int) else len(rest) :]
        self.size += len(piece)

    def settle(self) -> None:
        pass

    def publish(self) -> None:
        with suppress(AttributeError):
            self._file.flush()


def held(path: Path) -> io.BufferedRandom:
    """Open a file to read and write it, that no other process writes to; InvalidRequest else."""
    while True:
        file = os.fdopen(os.open(path, FLAGS, 0o666), "r+b", PIECE)
        try:
            if sys.platform != "win32":
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with suppress(FileNotFoundError):  # who held it has just finished, or given up
                if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    return file  # type: ignore[return-value]
        except BlockingIOError:
            file.close()
            raise InvalidRequest(f"{path} is being written to by somebody else.") from None
        except BaseException:
            file.close()
            raise
        file.close()


def forget(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
