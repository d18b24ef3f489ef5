"""What is kept for each subject in a process: bounded, and never two at once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from .exceptions import InvalidRequest

T = TypeVar("T")

KEPT_SUBJECTS = 4096
LENGTH_LIMIT = 255


class Subjects(Generic[T]):
    """Values by subject, made on demand: the latest `kept`, and all that are in use.

    One that has been dropped is found again as long as anybody holds it: two at once would be
    two seats, and two snapshots, for one token.
    """

    def __init__(
        self, make: Callable[[str], T], kept: int = KEPT_SUBJECTS, alias: str = ""
    ) -> None:
        self._make, self._limit, self._alias = make, kept, alias
        self._kept: OrderedDict[str, T] = OrderedDict()
        self._alive: WeakValueDictionary[str, T] = WeakValueDictionary()
        self.after_fork()

    def after_fork(self) -> None:
        """Drop the lock, which nobody here may hold; what is in use stays the only one."""
        self._lock = threading.Lock()

    def __getitem__(self, subject: str) -> T:
        try:
            value = self._kept[subject]
            self._kept.move_to_end(subject)  # one step of the interpreter: no lock on the hot path
        except (KeyError, TypeError):  # unhashable: no subject
            return self._found(checked(subject, self._alias))
        return value

    def _found(self, subject: str) -> T:
        with self._lock:
            value = self._alive.get(subject)
            if value is None:
                value = self._alive[subject] = self._make(subject)
            self._kept[subject] = value
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)
            return value

    def values(self) -> list[T]:
        """Give all that are alive."""
        return list(self._alive.values())


def checked(subject: object, alias: str) -> str:
    """Give a subject that can be one; InvalidRequest for anything else."""
    if isinstance(subject, str) and 0 < len(subject) <= LENGTH_LIMIT and subject.isprintable():
        return str.__str__(subject)  # not an Enum, which shows and stores itself otherwise
    raise InvalidRequest(
        f"{alias}: a subject is a text of 1 to {LENGTH_LIMIT} printable characters, such as "
        "str(user.pk).",
        alias=alias,
    )
