"""A reply's Date teaches the provider's clock, and what is signed is told it."""

import time
from email.utils import formatdate

import pytest

from apiclient_app.auth import AuthBackend, NoAuth, Reply

from .replies import NOW


def answered(theirs: float | None, *, took: float = 0.0) -> Reply:
    """Give a reply that was sent for at `NOW`, with the Date of a clock that shows `theirs`."""
    headers = {} if theirs is None else {"date": formatdate(theirs, usegmt=True)}
    return Reply(200, headers, b"{}", NOW + took, NOW)


@pytest.mark.parametrize(
    ("ahead", "took", "learnt"),
    [
        (0.0, 0.0, 0.0),
        (600.0, 0.0, 600.5),
        (-600.0, 0.0, -599.5),
        (1.0, 0.0, 0.0),
        (-2.0, 0.0, 0.0),
        (2.0, 0.0, 2.5),
        (-3.0, 0.0, -2.5),
        (5.0, 4.0, 0.0),
        (10.0, 4.0, 8.5),
        (-10.0, 4.0, -11.5),
    ],
)
def test_an_offset_is_learnt_where_it_is_more_than_noise(
    ahead: float, took: float, learnt: float
) -> None:
    reply = answered(NOW + ahead, took=took)
    assert reply.offset == learnt
    assert reply.now == NOW + took + learnt


@pytest.mark.parametrize("date", ["", "yesterday", "Fri, 99 Jan 2027 08:00:00 GMT"])
def test_a_date_that_is_none_teaches_nothing(date: str) -> None:
    assert Reply(200, {"date": date}, b"", NOW, NOW).offset == 0
    assert answered(None).offset == 0


@pytest.mark.parametrize(
    "date", ["Fri, 31 Dec 9999 23:59:59 GMT", "Sat, 01 Jan 1600 00:00:00 GMT"]
)
def test_no_clock_is_a_century_wrong(date: str) -> None:
    assert Reply(200, {"date": date}, b"", NOW, NOW).offset == 0


def test_a_clock_that_has_stood_still_shows_1970() -> None:
    assert Reply(200, {"date": formatdate(NOW, usegmt=True)}, b"", 9.0, 9.0).now == NOW + 0.5


def test_without_the_time_of_sending_nothing_is_learnt() -> None:
    assert Reply(200, {"date": formatdate(NOW + 600, usegmt=True)}, b"", NOW).offset == 0


class Bare(AuthBackend):
    """An ordinary class, whose options are its attributes."""

    def __init__(self, word: str) -> None:
        self.word = word


@pytest.mark.parametrize("backend", [NoAuth(), Bare("x")], ids=["dataclass", "class"])
def test_a_backend_as_of_a_time_is_the_same_but_for_the_time(backend: AuthBackend) -> None:
    before = time.time()
    then = backend.at(NOW)
    assert (then.now, then.at(NOW + 1).now) == (NOW, NOW + 1)
    assert before <= backend.now <= time.time()
    assert then.identity() == backend.identity()
    assert type(then) is type(backend)
