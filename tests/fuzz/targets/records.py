"""What a cache holds under our keys: sealed by us or by nobody, whole or not."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime
from math import inf, isfinite
from typing import Any

from django.core.cache import caches

from apiclient_app.exceptions import APIClientError
from apiclient_app.guard.circuit import STATES, Breaker, Circuit
from apiclient_app.records import Failure, Fruitless, Stash, View, next_failure, next_fruitless
from apiclient_app.store import KINDS, Identity, _dump_due, _load_due
from apiclient_app.store.seal import PREFIX, Seal, Unsealable
from apiclient_app.tokens import Token, TokenState, moment
from tests.store.conftest import KEYS, opened, token

NOW = 1_800_000_000.0
PLACE = "apiclient:1:shop::f1:token"
SEAL = Seal(KEYS)
OWNER = 4611686018427387904


def record(data: bytes) -> None:
    """A text that was sealed with our key, whoever had it: a record that can be used, or none."""
    text = data.decode("utf-8", "replace")
    for load, used in USES.items():
        try:
            found = load(text)
        except ValueError:
            continue
        used(found)


def _token(found: Token) -> None:
    assert Token.load(found.dump()) == found
    assert found.state(NOW) in TokenState
    for seconds in (found.obtained_at, found.renew_at, found.usable_until, found.expires_at):
        assert isinstance(moment(seconds), datetime)
    assert found.shifted(1.0).replaces(None)
    assert all(isinstance(text, str) for text in found.revealed())
    assert next_fruitless(None, found, NOW) is not None


def _failure(found: Failure) -> None:
    assert Failure.load(found.dump()) == found
    assert found.holds(NOW, stale=True) in (True, False)
    assert isinstance(found.shifted(1.0).exception("shop", "", NOW), APIClientError)
    again = next_failure(found, error="e", description="", terminal=True, now=NOW, jitter=0.5)
    assert NOW < again.until < NOW + 100
    assert isinstance(moment(found.at), datetime)
    assert isinstance(moment(found.until), datetime)


def _fruitless(found: Fruitless) -> None:
    assert Fruitless.load(found.dump()) == found
    assert isfinite(found.shifted(1.0).until)
    again = next_fruitless(found, token("later", after=found.generation), NOW)
    assert again is not None
    assert NOW < again.until < NOW + 100


def _stash(found: Stash) -> None:
    assert Stash.load(found.dump()) == found
    assert found.refresh_token.reveal().encode() is not None


def _due(found: Any) -> None:
    assert _load_due(_dump_due(found)) == found
    for due in found:
        _token(due.token)
        assert isinstance(moment(due.shifted(1.0).at), datetime)


def _circuit(found: Circuit) -> None:
    assert Circuit.load(found.dump()) == found
    assert found.state(NOW) in STATES
    assert isinstance(moment(found.at), datetime)
    assert found.by_hand or isinstance(moment(found.until), datetime)
    again = found.failed_again(Breaker(), NOW)
    assert NOW < again.until <= NOW + 160
    assert again.until < inf


def _tombstone(found: int) -> None:
    assert found > token("now").generation or token("later", after=found).generation > found


USES: dict[Callable[[str], Any], Callable[[Any], None]] = {
    Token.load: _token,
    Failure.load: _failure,
    Fruitless.load: _fruitless,
    Stash.load: _stash,
    Circuit.load: _circuit,
    _load_due: _due,
    int: _tombstone,
}


def sealed(data: bytes) -> None:
    text = data.decode("latin-1")
    for value in (text, data, PREFIX + urlsafe_b64encode(data).decode(), SEAL.seal(text, "else")):
        try:
            opened = SEAL.open(value, PLACE)
        except Unsealable:
            continue
        assert SEAL.resealed(str(value), PLACE) is None
        assert SEAL.open(SEAL.seal(opened, PLACE), PLACE) == opened
    assert SEAL.open(SEAL.seal(text, PLACE), PLACE) == text


def cache(data: bytes) -> None:
    """A line for each key: what begins with `=` is sealed for it, digits are a number."""
    identity = Identity("shop", "", "fuzzed")
    store, held = opened("locmem", fingerprint=identity.fingerprint), caches["locmem"]
    held.delete_many([identity.key(kind) for kind in KINDS])
    for kind, line in zip(KINDS, data.split(b"\n"), strict=False):
        text = line.decode("utf-8", "replace")
        value: Any = int(text) if text.isdecimal() and len(text) < 100 else text
        if text.startswith("="):
            value = SEAL.seal(text[1:], identity.key(kind))
        if text:
            held.set(identity.key(kind), value)
    view = store.look()
    assert isinstance(view.shifted(2.0), View)
    store.release(OWNER)
    held.delete(identity.key("lock"))
    assert store.acquire(OWNER, 10.0)
    assert store.settle(OWNER, NOW)
    published = token("newer", after=view.token.generation if view.token else 0)
    assert store.publish(OWNER, published, view.token)
    assert store.look().token == published
