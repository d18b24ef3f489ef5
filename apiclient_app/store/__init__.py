"""Where token records live: in Django's cache, sealed, under keys that hold their identity."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from contextlib import suppress
from pickle import UnpicklingError
from typing import Any, TypeVar

from apiclient_app.kept import epoch, parsed, whole
from apiclient_app.records import Due, Failure, Fruitless, Stash, View
from apiclient_app.tokens import Token

from .access import Access
from .identity import Identity
from .reach import Reach
from .seal import Seal, Unsealable

__all__ = ["CacheStore", "Identity"]

T = TypeVar("T")

KEPT_SECONDS = 120.0  # how long a cooldown is remembered beyond its end: its count goes on
STASH_SECONDS = 30 * 86_400.0
SWITCH_SECONDS = 365 * 86_400.0
KINDS = ("token", "failure", "fruitless", "tombstone", "due", "stash", "switched", "lock")
GARBAGE = (
    *(ValueError, EOFError, TypeError, LookupError, AttributeError, ImportError),
    *(UnpicklingError, zlib.error),
)


class CacheStore:
    """The records of one identity. Every method may raise StoreUnavailable.

    `clock` gives epoch seconds, and `offset` how far the provider's clock is ahead: times in the
    cache are the provider's, which machines whose own clocks differ have in common. What all
    subjects share is under the `client`'s identity.
    """

    def __init__(
        self,
        reach: Reach,
        identity: Identity,
        seal: Seal,
        clock: Callable[[], float],
        memory_seconds: float,
        offset: Callable[[], float] = float,
        client: Identity | None = None,
    ) -> None:
        self._reach, self._seal = reach, seal
        self._clock, self._memory_seconds, self._offset = clock, memory_seconds, offset
        self._identity, self._client = identity, client or identity

    def _key(self, kind: str) -> str:
        return (self._client if kind == "switched" else self._identity).key(kind)

    def look(self) -> View:
        """Give all there is, in one round trip."""
        found = self._reach.attempt(self._found, storing=False)
        view = View(
            token=self._read(found, "token", Token.load),
            failure=self._read(found, "failure", Failure.load),
            fruitless=self._read(found, "fruitless", Fruitless.load),
            tombstone=self._read(found, "tombstone", _load_tombstone) or 0,
            due=self._read(found, "due", _load_due) or (),
            stash=self._read(found, "stash", Stash.load),
            switched=self._read(found, "switched", str) or "",
            locked=found.get(self._key("lock")) is not None,
        )
        return view.shifted(-self._offset())

    def acquire(self, owner: int, lease: float) -> bool:
        """Take the renewal lock for `lease` seconds; False if another has it."""
        return self._reach.attempt(lambda cache: cache.add(self._key("lock"), owner, lease))

    def release(self, owner: int) -> bool:
        return self._write(owner, {}, "lock")

    def publish(self, owner: int, token: Token, replaced: Token | None) -> bool:
        """Store `token`, if the lock is still `owner`'s; False if it is not.

        `replaced` is to be revoked at the provider when no process holds it in memory any more.
        """
        now, offset = self._clock(), self._offset()
        sealed = self._sealed("token", token.shifted(offset).dump())
        records = {"token": (sealed, token.expires_at - now)}
        if replaced is not None and replaced.expires_at > now:
            records["due"] = self._due(
                (*self.look().due, Due(replaced, now + self._memory_seconds))
            )
        return self._write(owner, records, "failure")

    def _due(self, due: tuple[Due, ...]) -> tuple[str, float]:
        offset = self._offset()
        life = max(d.token.expires_at for d in due) - self._clock()
        return self._sealed("due", _dump_due(tuple(d.shifted(offset) for d in due))), life

    def fail(self, owner: int, failure: Failure) -> bool:
        life = failure.until - self._clock() + KEPT_SECONDS
        sealed = self._sealed("failure", failure.shifted(self._offset()).dump())
        return self._write(owner, {"failure": (sealed, life)})

    def bury(self, owner: int, tombstone: int, life: float) -> bool:
        """Forget every record up to generation `tombstone`; others must for `life` seconds."""
        gone = ("token", "failure", "fruitless", "due")
        sealed = self._sealed("tombstone", str(tombstone))
        return self._write(owner, {"tombstone": (sealed, life)}, *gone)

    def settle(self, owner: int, now: float) -> bool:
        """Strike the tokens off that were due to be revoked by `now`."""
        due = tuple(d for d in self.look().due if d.at > now)
        if not due:
            return self._write(owner, {}, "due")
        return self._write(owner, {"due": self._due(due)})

    def mark_fruitless(self, marker: Fruitless) -> None:
        # Beyond its end, so that the count goes on while the refusals do.
        life = marker.until - self._clock() + KEPT_SECONDS
        sealed = self._sealed("fruitless", marker.shifted(self._offset()).dump())
        self._set("fruitless", sealed, life)

    def clear_fruitless(self) -> None:
        self._delete("fruitless")

    def stash(self, stash: Stash) -> None:
        """Keep a refresh token that the database did not take."""
        self._set("stash", self._sealed("stash", stash.dump()), STASH_SECONDS)

    def unstash(self) -> None:
        self._delete("stash")

    def switch(self, mark: str) -> None:
        """Have every process use the credentials of that mark; the current ones if it is empty."""
        if mark:
            self._set("switched", self._sealed("switched", mark), SWITCH_SECONDS)
        else:
            self._delete("switched")

    def _sealed(self, kind: str, text: str) -> str:
        # Before it is passed on: what interrupts the cache shows the locals of the frames there.
        return self._seal.seal(text, self._key(kind))

    def _set(self, kind: str, sealed: str, life: float) -> None:
        self._reach.attempt(lambda cache: cache.set(self._key(kind), sealed, life))

    def _delete(self, kind: str) -> None:
        self._reach.attempt(lambda cache: cache.delete(self._key(kind)), storing=False)

    def _write(self, owner: int, records: dict[str, tuple[str, float]], *gone: str) -> bool:
        writes = {
            self._key(kind): (sealed, max(1.0, life)) for kind, (sealed, life) in records.items()
        }
        deletes = [self._key(kind) for kind in gone]
        return self._reach.attempt(
            lambda cache: cache.write(self._key("lock"), owner, writes, deletes),
            storing=bool(writes),
        )

    def _found(self, cache: Access) -> dict[str, Any]:
        keys = [self._key(kind) for kind in KINDS]
        try:
            return cache.get_many(keys)
        except GARBAGE:  # somebody else's value under one of our keys; it must not hide the others
            found: dict[str, Any] = {}
            for key in keys:
                with suppress(*GARBAGE):
                    found |= cache.get_many([key])
            return found

    def _read(self, found: dict[str, Any], kind: str, load: Callable[[str], T]) -> T | None:
        """Give a record; None also for what was not sealed by us, for here: it was tampered
        with, or written with a key that is gone."""
        key = self._key(kind)
        if found.get(key) is None:
            return None
        try:
            return load(self._seal.open(found[key], key))
        except (Unsealable, ValueError):
            return None


def _dump_due(due: tuple[Due, ...]) -> str:
    return json.dumps([[d.token.dump(), d.at] for d in due])


def _load_due(kept: str) -> tuple[Due, ...]:
    try:
        return tuple(Due(Token.load(token), epoch(at)) for token, at in parsed(kept))
    except TypeError as error:
        raise ValueError("no tokens to be revoked") from error


def _load_tombstone(kept: str) -> int:
    return whole(parsed(kept))
