"""Durable rows: refresh tokens in the database, sealed, each write fenced by what was read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Protocol

from apiclient_app.exceptions import RowsUnavailable
from apiclient_app.rows import Row
from apiclient_app.secret import Secret

from .seal import Seal, Unsealable

OVERWRITES = 10
CHANGING = "the row is being changed by others all the time"
# The owner stays: a claim made on what was read before his would pass for one made after it.
FREE: dict[str, Any] = {"leased_until": None}
SETTLED: dict[str, Any] = {"asking_since": None, "attention": "", "tries": 0, "retry_at": None}


class Table(Protocol):
    """Where rows are: each method is one statement of its own, committed when it returns.

    Times are epoch seconds by the database's clock; it writes `obtained_at` by itself, with each
    refresh token. Each may raise RowsUnavailable.
    """

    def get(self, identity: str) -> tuple[float, Mapping[str, Any] | None]:
        """Give the time, and the columns of a row."""
        ...

    def insert(self, identity: str, values: Mapping[str, Any]) -> bool:
        """Make a row; False if there is one."""
        ...

    def update(self, identity: str, fence: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
        """Change a row whose columns are as `fence` says; False if they are not."""
        ...


@dataclass(frozen=True, slots=True)
class Rows:
    """The row of one grant and subject, in `table`. Every method may raise RowsUnavailable."""

    table: Table
    identity: str
    alias: str
    subject: str
    seal: Seal
    first: Secret[str] | None = None

    def read(self) -> Row:
        """Give the row; one without a refresh token where there is none yet.

        A refresh token from the settings that the row has not seen is its newest.
        """
        row, seeds = self._stored()
        if self.first is None:
            return row
        now, seed = row.now, mark(self.first)
        if seed in seeds:
            return row
        fresh = Row(
            now=now, generation=row.generation, refresh_token=self.first, seed=seed, unsaved=True
        )
        return replace(fresh, owner=row.owner, leased_until=row.leased_until)

    def _stored(self) -> tuple[Row, list[str]]:
        now, columns = self.table.get(self.identity)
        if columns is None:
            return Row(now=now), []
        return self._row(now, columns), columns["seeds"].split()

    def _row(self, now: float, columns: Mapping[str, Any]) -> Row:
        token, unreadable = None, False
        if columns["refresh_token"]:
            try:
                token = Secret(self.seal.open(columns["refresh_token"], self._place))
            except Unsealable:
                unreadable = True
        return Row(
            now=now,
            generation=columns["generation"],
            refresh_token=token,
            asking_since=columns["asking_since"],
            owner=columns["owner"],
            leased_until=columns["leased_until"] or 0.0,
            attention=columns["attention"],
            tries=columns["tries"],
            retry_at=columns["retry_at"] or 0.0,
            obtained_at=columns["obtained_at"],
            unreadable=unreadable,
        )

    @property
    def _place(self) -> str:
        return place_of(self.identity)

    def claim(self, row: Row, owner: int, lease: float) -> Row | None:
        """Take the row as it was read, to ask with its refresh token; None if it has changed.

        From here until an answer is known, the row says that it was asked with.
        """
        if row.unsaved:
            self._save(row)
            return None  # others may have been quicker: what stands there now is read anew
        if row.refresh_token is None or row.claimed:
            return None
        taken = replace(
            row,
            asking_since=row.now if row.asking_since is None else row.asking_since,
            owner=owner,
            leased_until=row.now + lease,
        )
        claim = {n: getattr(taken, n) for n in ("asking_since", "owner", "leased_until")}
        fence = {"generation": row.generation, "owner": row.owner}
        return taken if self.table.update(self.identity, fence, claim) else None

    def _save(self, row: Row) -> None:
        self._write(row, {"owner": row.owner}, row.refresh_token)

    def keep(self, row: Row, refresh_token: Secret[str] | None) -> bool:
        """Store the successor, and end the claim; False if the row has another one already.

        Fenced by the generation alone: who was given up, and comes late with the successor of
        the very token that the row still holds, brings the only one there is.
        """
        return self._write(row, {}, refresh_token)

    def let_go(self, row: Row, owner: int) -> bool:
        """End the claim without a successor, and leave the row as `row` says."""
        values = {
            **FREE,
            "asking_since": row.asking_since,
            "attention": row.attention,
            "tries": row.tries,
            "retry_at": row.retry_at or None,
        }
        return self.table.update(
            self.identity, {"generation": row.generation, "owner": owner}, values
        )

    def put(self, refresh_token: Secret[str]) -> None:
        """Store a refresh token that a person brings, whatever the row holds."""
        self._overwrite(refresh_token)

    def clear(self) -> Secret[str] | None:
        """Empty the row; give the refresh token it held."""
        held, _ = self._stored()
        if held.generation or self.first:
            self._overwrite(None)
        return held.refresh_token or (None if held.unreadable else self.first)

    def _overwrite(self, refresh_token: Secret[str] | None) -> None:
        """Write over the row as it is now; who is asking with it finds its fence moved."""
        for _ in range(OVERWRITES):
            # What the settings hold now is older than this, also if it was never used.
            if self._write(self.read(), {}, refresh_token):
                return
        raise RowsUnavailable(CHANGING)

    def _write(
        self, row: Row, fence: Mapping[str, Any], refresh_token: Secret[str] | None
    ) -> bool:
        """Make the row the next one after `row`; False if it is not that one any more."""
        values = {**FREE, **SETTLED, "generation": row.generation + 1}
        if row.generation == 0:
            named = {"alias": self.alias, "subject": self.subject, "seeds": row.seed}
            sealed = self._sealed(refresh_token, "")
            return self.table.insert(self.identity, {**named, **values, "refresh_token": sealed})
        fence = {"generation": row.generation, **fence}
        for _ in range(OVERWRITES):
            columns = self.table.get(self.identity)[1] or {}
            if any(columns.get(name) != value for name, value in fence.items()):
                return False
            if row.seed:
                values["seeds"] = f"{columns['seeds']} {row.seed}".strip()
            # With the key of the one before it, for servers that do not have a newer key yet; and
            # not if that one was just moved to a newer key, for the older one may go any moment.
            held = columns["refresh_token"]
            values["refresh_token"] = self._sealed(refresh_token, held)
            if self.table.update(self.identity, {**fence, "refresh_token": held}, values):
                return True
        raise RowsUnavailable(CHANGING)

    def _sealed(self, refresh_token: Secret[str] | None, like: str) -> str:
        return self.seal.seal(refresh_token.reveal(), self._place, like) if refresh_token else ""


def identity_of(alias: str, grant: Any, subject: str) -> str:
    """Give the name of a row: it outlives changes of client secrets and of SECRET_KEY."""
    text = json.dumps([alias, grant, subject], sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def place_of(identity: str) -> str:
    """Give the place for which a row's refresh token is sealed."""
    return f"credential:{identity}"


def mark(refresh_token: Secret[str]) -> str:
    """Tell refresh tokens of the settings apart, without saying what they are."""
    return sha256(refresh_token.reveal().encode()).hexdigest()[:32]
