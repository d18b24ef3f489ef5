"""Nothing of one subject is ever another's: no key, lock, memory, row, token or failure."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiclient_app import TokenRefused, TokenUnavailable, clients, signals
from apiclient_app.auth import ClientCredentials, TokenRequest
from apiclient_app.client import Client
from apiclient_app.store.rows import identity_of
from tests.conftest import Configure
from tests.servers import Handle, Reply

SHOP = {"BASE_URL": "https://api.example/"}


@pytest.fixture
def shop(api_clients: Configure) -> Client:
    api_clients(shop=SHOP)
    return clients["shop"]


def keys(subject: str) -> tuple[str, str]:
    """Give what names a subject's records in the cache, and its row."""
    client = clients["shop"].for_subject(subject) if subject else clients["shop"]
    grant = ["https://provider.example/token", "app"]
    return client.rooms.store._key("token"), identity_of("shop", grant, subject)


PAIRS = [
    ("ann", "Ann"),
    ("ann", "ann "),
    ("ä", unicodedata.normalize("NFD", "ä")),
    ("ﬁ", "fi"),
    ("ß", "ss"),
    ("İ", "i̇"),
    ("1", "01"),
    ("a:b", "a"),
    ("a", "a:token"),
    ("x" * 255, "x" * 254),
    ("", "default"),
    ("a%3Ab", "a:b"),
    ('","', ","),
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_two_subjects_share_neither_key_nor_lock_nor_memory_nor_row(
    shop: Client, one: str, other: str
) -> None:
    mine, theirs = (shop.for_subject(s) if s else shop for s in (one, other))
    assert mine is not theirs
    assert mine.memory is not theirs.memory
    assert mine.rooms.store is not theirs.rooms.store
    for kind in ("token", "lock", "failure", "tombstone", "due", "stash", "fruitless"):
        assert mine.rooms.store._key(kind) != theirs.rooms.store._key(kind)
    assert keys(one)[1] != keys(other)[1]


SUBJECTS = st.text(min_size=1, max_size=255).filter(str.isprintable)


@given(SUBJECTS, SUBJECTS)
def test_no_two_subjects_have_one_name(one: str, other: str) -> None:
    grant = ["https://provider.example/token", "app"]
    names = [identity_of("shop", grant, subject) for subject in (one, other)]
    assert (names[0] == names[1]) == (one == other)


def test_a_subject_s_name_is_in_no_cache_key(shop: Client) -> None:
    assert "ann@example" not in keys("ann@example.com")[0]
    assert len(keys("x" * 255)[0]) < 250


@pytest.fixture
def per_subject(api: Handle, api_clients: Configure) -> Any:
    api_clients(api=api.config("tests.test_crosstalk.PerSubject"))
    return clients["api"]


class PerSubject(ClientCredentials):
    """Asks for a token of the subject's own."""

    whom = ""

    def for_subject(self, subject: str) -> PerSubject:
        return self.altered(whom=subject)

    def token_request(self) -> TokenRequest:
        return self.asked(grant_type="client_credentials", login_hint=self.whom)


def asked_for(api: Handle) -> list[str]:
    return [request["fields"].get("login_hint", "") for request in api.token_requests]


def test_each_subject_has_a_token_of_its_own(api: Handle, per_subject: Any) -> None:
    tokens = {}
    for _ in range(2):
        for subject in ("ann", "bob"):
            client = per_subject.for_subject(subject)
            assert client.get("echo").status_code == 200
            tokens[subject] = client.token().id
    assert per_subject.get("echo").status_code == 200
    assert sorted(asked_for(api)) == ["", "ann", "bob"]
    assert tokens["ann"] != tokens["bob"]
    used = {request["token"] for request in api.requests if "token" in request}
    assert len(used) == 3


def test_what_fails_for_one_subject_fails_for_him_alone(api: Handle, per_subject: Any) -> None:
    api.script("/token", Reply.of({"error": "access_denied"}, 400))
    with pytest.raises(TokenRefused, match="access_denied"):
        per_subject.for_subject("ann").get("echo")
    assert per_subject.for_subject("bob").get("echo").status_code == 200
    with pytest.raises(TokenRefused, match="access_denied"):
        per_subject.for_subject("ann").get("echo")
    assert asked_for(api) == ["ann", "bob"]


def test_what_is_revoked_for_one_subject_is_another_s_still(api: Handle, per_subject: Any) -> None:
    ann, bob = (per_subject.for_subject(subject) for subject in ("ann", "bob"))
    kept = bob.token().id
    ann.token()
    ann.revoke_token()
    assert bob.token().id == kept
    ann.rotate_token()
    assert bob.token().id == kept


def test_signals_say_whose_token_it_is(api: Handle, per_subject: Any) -> None:
    heard: list[tuple[str, str]] = []

    def listener(name: str) -> Callable[..., None]:
        return lambda subject, **_: heard.append((name, subject))

    names = ("token_obtained", "token_rejected", "token_revoked", "call_finished")
    listening = {name: listener(name) for name in names}
    for name, receive in listening.items():
        getattr(signals, name).connect(receive)
    try:
        per_subject.for_subject("ann").get("echo")
        api.expire_all()
        per_subject.for_subject("ann").get("echo")
        per_subject.for_subject("ann").revoke_token()
    finally:
        for name, receive in listening.items():
            getattr(signals, name).disconnect(receive)
    assert {subject for _, subject in heard} == {"ann"}
    assert [name for name, _ in heard].count("token_obtained") == 2
    assert {name for name, _ in heard} == set(names)


def test_errors_say_whose_token_it_is(api: Handle, per_subject: Any) -> None:
    api.always("/token", Reply(503))
    with pytest.raises(TokenUnavailable, match=r"api \(ann\): no token"):
        per_subject.for_subject("ann").get("echo")


def test_many_threads_with_many_subjects_ask_once_for_each(api: Handle, per_subject: Any) -> None:
    per_subject._subjects._limit = 3
    api.set(token_delay=0.05)
    meet = threading.Barrier(20)

    def work(number: int) -> int:
        meet.wait()
        return int(per_subject.for_subject(f"user-{number % 5}").get("echo").status_code)

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(work, range(20))) == {200}
    assert sorted(asked_for(api)) == [f"user-{n}" for n in range(5)]
