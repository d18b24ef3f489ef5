"""Subjects: each has a client of its own, few are kept, and nothing of one is another's."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

import pytest
from pytest_django import Settings

from apiclient_app import InvalidRequest, clients
from apiclient_app.client import Client
from apiclient_app.subjects import KEPT_SUBJECTS, LENGTH_LIMIT, Subjects
from tests.conftest import Configure

SHOP = {"BASE_URL": "https://api.example/"}


class Thing:
    """What is kept for a subject."""

    def __init__(self, subject: str) -> None:
        self.subject = subject


# What is kept


def test_a_subject_has_one_as_long_as_somebody_holds_it() -> None:
    subjects = Subjects(Thing, 2)
    ann = subjects["ann"]
    for other in "abcdefgh":
        assert subjects[other] is subjects[other]
    assert subjects["ann"] is ann


def test_the_latest_are_kept_and_the_others_go() -> None:
    made: list[str] = []

    def make(subject: str) -> Thing:
        made.append(subject)
        return Thing(subject)

    subjects = Subjects(make, 3)
    for subject in "abcabcabc":
        assert subjects[subject].subject == subject
    assert made == ["a", "b", "c"]
    for subject in "ada":  # "a" was used just now: "b" is the oldest
        assert subjects[subject].subject == subject
    assert made == ["a", "b", "c", "d"]
    assert subjects["b"].subject == "b"
    assert made == ["a", "b", "c", "d", "b"]
    assert len(subjects.values()) == 3


def test_those_in_use_count_beside_the_bound() -> None:
    subjects = Subjects(Thing, 2)
    held = [subjects[str(n)] for n in range(10)]
    assert len(subjects.values()) == 10
    assert [subjects[str(n)] for n in range(10)] == held
    del held
    assert len(subjects.values()) == 2


def test_one_that_cannot_be_made_leaves_nothing() -> None:
    def make(subject: str) -> Thing:
        if subject == "odd":
            raise InvalidRequest(subject)
        return Thing(subject)

    subjects = Subjects(make, 2)
    for _ in range(2):
        with pytest.raises(InvalidRequest):
            subjects["odd"]
    assert subjects.values() == []
    assert subjects["even"].subject == "even"


def test_twenty_threads_with_a_bound_of_five_share_what_they_hold() -> None:
    alive: dict[str, int] = {}
    twice: list[str] = []
    lock = threading.Lock()

    class Counted(Thing):
        def __init__(self, subject: str) -> None:
            super().__init__(subject)
            with lock:
                alive[subject] = alive.get(subject, 0) + 1
                if alive[subject] > 1:
                    twice.append(subject)

        def __del__(self) -> None:
            with lock:
                alive[self.subject] -= 1

    subjects = Subjects(Counted, 5)
    meet = threading.Barrier(20)

    def work(number: int) -> None:
        meet.wait()
        for turn in range(2_000):
            subject = str((number * 7 + turn) % 11)
            one = subjects[subject]
            assert one.subject == subject
            assert subjects[subject] is one

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(20) as pool:
            list(pool.map(work, range(20)))
    finally:
        sys.setswitchinterval(before)
    assert twice == []
    assert len(subjects.values()) <= 5


# Clients of subjects


@pytest.fixture
def shop(api_clients: Configure) -> Client:
    api_clients(shop=SHOP)
    return clients["shop"]


def test_a_subject_s_client_is_the_same_client_for_one_subject(shop: Client) -> None:
    ann = shop.for_subject("ann")
    assert (ann.alias, ann.subject, ann.config) == ("shop", "ann", shop.config)
    assert ann.rooms.engine is shop.rooms.engine
    assert shop.for_subject("ann") is ann
    assert ann.for_subject("ann") is ann
    assert ann.for_subject("bob") is shop.for_subject("bob")
    assert shop.subject == ""
    assert repr(ann) == "<Client 'shop' for 'ann' https://api.example/>"


class Role(StrEnum):
    """Texts that databases may take for something else."""

    ADMIN = "admin"


NONE: list[Any] = [None, 42, 4.2, b"ann", True, ["ann"], {"id": 1}, {1}, ("ann",)]
TEXTS = ["", "a\nb", "a\x00b", "a\x1b[2Jb", "\ud800", "a\u202eb", "x" * (LENGTH_LIMIT + 1)]


@pytest.mark.parametrize("subject", [*NONE, *TEXTS], ids=repr)
def test_what_can_be_no_subject_is_an_invalid_request(shop: Client, subject: Any) -> None:
    with pytest.raises(InvalidRequest, match="shop: a subject is a text") as caught:
        shop.for_subject(subject)
    assert isinstance(caught.value, ValueError)
    assert caught.value.sent is False


@pytest.mark.parametrize("subject", ["0", " ", "ä", "x" * LENGTH_LIMIT, "a/b?c#d", "'; --", "{x}"])
def test_any_other_text_is_one(shop: Client, subject: str) -> None:
    assert shop.for_subject(subject).subject == subject


def test_a_text_of_another_kind_is_the_same_subject(shop: Client) -> None:
    assert shop.for_subject(Role.ADMIN) is shop.for_subject("admin")
    assert type(shop.for_subject(Role.ADMIN).subject) is str


def test_no_client_of_a_subject_is_pickled(shop: Client) -> None:
    for way in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="never pickled"):
            way(shop.for_subject("ann"))


def test_ten_thousand_subjects_stay_bounded_without_the_garbage_collector(shop: Client) -> None:
    gc.collect()
    gc.disable()  # as some deployments do
    try:
        for number in range(10_000):
            shop.for_subject(f"user-{number}")
        assert len(shop._subjects.values()) == KEPT_SUBJECTS
    finally:
        gc.enable()


def test_settings_that_change_make_new_ones(settings: Settings) -> None:
    settings.API_CLIENTS = {"shop": SHOP}
    old = clients["shop"].for_subject("ann")
    settings.API_CLIENTS = {"shop": {"BASE_URL": "https://other.example/"}}
    assert clients["shop"].for_subject("ann") is not old
    assert clients["shop"].for_subject("ann").config.base_url == "https://other.example/"


@contextmanager
def child() -> Iterator[Callable[[Callable[[], Any]], bytes]]:
    """Do work in a child process: give what it says, or the error that it meets."""

    def do(work: Callable[[], Any]) -> bytes:
        reader, writer = os.pipe()
        if (pid := os.fork()) == 0:
            try:
                said = repr(work())
            except BaseException as error:  # noqa: BLE001
                said = repr(error)
            os.write(writer, said.encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as stream:
            heard = stream.read()
        os.waitpid(pid, 0)
        return heard

    yield do


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_after_a_fork_a_subject_has_one_client_still_and_a_memory_of_its_own(
    shop: Client,
) -> None:
    ann = shop.for_subject("ann")
    ann.memory.sit(1, 0.0, 1e12)
    ann.memory.asking = True
    assert shop._subjects._lock.acquire()

    def work() -> Any:
        again = shop.for_subject("ann")
        return again is ann, again.memory.asking, again.memory.sit(2, 0.0, 1.0)

    with child() as do:
        heard = do(work)
    shop._subjects._lock.release()
    assert heard == b"(True, False, True)"
