"""Whoever waits for work gets what came of it, or is told that it took too long: nothing else."""

import threading
from types import SimpleNamespace

import pytest

from apiclient_app import RequestTimeout
from apiclient_app.engines import patience
from apiclient_app.engines.patience import within


def test_what_is_done_at_the_last_moment_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()

    class Looked(threading.Event):
        """Set between the end of the wait and the look at it."""

        def is_set(self) -> bool:
            go.set()
            return self.wait(5)

    threads = SimpleNamespace(Event=Looked, Thread=threading.Thread)
    monkeypatch.setattr(patience, "threading", threads)
    assert within(0.01, lambda: go.wait(5) and "the reply", _nothing, "late") == "the reply"


def test_what_is_not_done_is_cut_off() -> None:
    cut = threading.Event()
    with pytest.raises(RequestTimeout, match="late"):
        within(0.01, lambda: cut.wait(5), cut.set, "late")
    assert cut.is_set()


def test_what_fails_in_time_is_raised_here() -> None:
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 / 0, _nothing, "late")


def _nothing() -> None:
    """Have nothing to cut off."""
