"""Where answers are written, a line of JSON each: stdout, or a file that can be gone on with."""

from __future__ import annotations

import json
import os
from array import array
from contextlib import closing
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from apiclient_app.client.parts import held
from apiclient_app.exceptions import InvalidRequest

from .exits import unusable
from .lines import Line
from .terminal import Terminal

BEGINNING = b'{"number": '
MOST = 1 << 32
PAGE = 256


class Printed:
    """Answers to stdout; there is nothing to go on with."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def has(self, line: Line) -> bool:
        return False

    def add(self, document: dict[str, Any]) -> None:
        self._terminal.line(json.dumps(document))
        self._terminal.out.flush()

    def close(self) -> None:
        pass


class Journal:
    """Answers in a file, where those of an earlier run stay; of the failed ones, if `keep_failed`.

    Raises CommandError for a file that is something else, and leaves it as it is.
    """

    def __init__(self, path: Path, *, keep_failed: bool) -> None:
        self.path, self._keep_failed = path, keep_failed
        self._marks = Marks()
        self._file = self._opened()
        try:
            if self._look():
                self._drop_failed()
            self._file.seek(0, os.SEEK_END)
        except BaseException:
            self._file.close()
            raise

    def has(self, line: Line) -> bool:
        """Whether the line has been answered; CommandError if that number was another line's."""
        mark = self._marks[line.number]
        if mark and mark != _value(line.mark):
            text = _(
                "line %(number)d has changed since %(file)s was written; give another --output"
            )
            raise unusable(text % {"number": line.number, "file": self.path})
        return bool(mark)

    def add(self, document: dict[str, Any]) -> None:
        self._file.write(json.dumps(document).encode() + b"\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def _opened(self) -> Any:
        try:
            return held(self.path)
        except (OSError, InvalidRequest) as error:
            reason = getattr(error, "strerror", None) or error
            text = _("%(file)s cannot be written: %(reason)s")
            raise unusable(text % {"file": self.path, "reason": reason}) from error

    def _look(self) -> bool:
        """Learn what has been answered, and cut off an unfinished last line; whether there are
        answers to drop."""
        failed, end = False, 0
        for number, raw in enumerate(self._file, 1):
            if not raw.endswith(b"\n") and raw[: len(BEGINNING)] == BEGINNING[: len(raw)]:
                self._file.seek(end)
                self._file.truncate()
                break
            end += len(raw)
            failed = self._learn(number, raw) or failed
        return failed

    def _learn(self, number: int, raw: bytes) -> bool:
        kept = _read(raw)
        if kept is None:
            text = _("%(file)s, line %(number)d: not an answer of fetch; give another --output")
            raise unusable(text % {"file": self.path, "number": number})
        answered, mark, failed = kept
        dropped = failed and not self._keep_failed
        self._marks[answered] = 0 if dropped else mark
        return dropped

    def _drop_failed(self) -> None:
        """Write the others to a new file, which then takes the place of this one."""
        new = self.path.with_name(f"{self.path.name}.new")
        with closing(held(new)) as file:
            file.truncate()
            self._file.seek(0)
            for raw in self._file:
                kept = _read(raw)
                if kept is not None and not kept[2]:
                    file.write(raw)
            file.flush()
            os.fsync(file.fileno())
            new.replace(self.path)
        self._file.close()
        self._file = self._opened()


class Marks:
    """The mark of each line that was answered, by its number; 0 where there is no answer.

    Four bytes a line: there may be millions. In pages, for one number may be far from the next.
    """

    def __init__(self) -> None:
        self._pages: dict[int, array[int]] = {}

    def __getitem__(self, number: int) -> int:
        page, place = divmod(number, PAGE)
        return self._pages[page][place] if page in self._pages else 0

    def __setitem__(self, number: int, mark: int) -> None:
        page, place = divmod(number, PAGE)
        if page not in self._pages:
            self._pages[page] = array("I", bytes(4 * PAGE))
        self._pages[page][place] = mark


def _read(raw: bytes) -> tuple[int, int, bool] | None:
    """Give number, mark, and whether it failed; None for what is no answer."""
    try:
        document = json.loads(raw)
        number, mark = document["number"], _value(document["mark"])
        failed = document["error"] is not None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    fits = type(number) is int and 0 < number < MOST and 0 < mark < MOST
    return (number, mark, failed) if fits else None


def _value(mark: str) -> int:
    return int(mark, 16) or 1
