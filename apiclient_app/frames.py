"""Tracebacks without the frames whose local variables hold credentials.

Error reports (Django's debug page, Sentry) print the locals of every frame, and those of requests,
urllib3 and our engines hold the headers that were sent, the proxy's password, the signed URL.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType

MACHINERY = frozenset(
    {
        "apiclient_app",
        "email",
        "http",
        "requests",
        "responses",
        "socket",
        "ssl",
        "urllib",
        "urllib3",
    }
)


def without_machinery(error: BaseException) -> BaseException:
    """Give `error` with the user's own frames only: his hook, his generator, his backend."""
    for linked in _chain(error):
        linked.__traceback__ = _kept(linked.__traceback__)
    return error


def passed_through(error: BaseException, function: str) -> bool:
    """Whether a function of that name is among the frames of `error`."""
    return any(f.tb_frame.f_code.co_name == function for f in _frames(error.__traceback__))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        linked = waiting.pop()
        if linked is not None and id(linked) not in seen:
            seen.add(id(linked))
            yield linked
            waiting += [linked.__cause__, linked.__context__]


def _frames(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _kept(traceback: TracebackType | None) -> TracebackType | None:
    kept: TracebackType | None = None
    for link in reversed(list(_frames(traceback))):
        module = str(link.tb_frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] not in MACHINERY:
            kept = TracebackType(kept, link.tb_frame, link.tb_lasti, link.tb_lineno)
    return kept
