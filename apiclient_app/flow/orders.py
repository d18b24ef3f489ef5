"""What a person, or code in his place, orders done with a token. Without I/O.

Generators like those of `flow`: a driver carries their steps out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from apiclient_app.exceptions import RowsUnavailable, TokenUnavailable, TransportError
from apiclient_app.leases import new_owner
from apiclient_app.secret import Secret, scrubbed
from apiclient_app.steps import Ask, Auth, Flow, RowCall, Sleep
from apiclient_app.tokens import Token

from .need import UNDECIDED, Need
from .renewal import POLL_LIMIT, Renewal

Revocation = Callable[[Auth], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFlow:
    """What a person, or code in his place, orders done with the token."""

    renewal: Renewal
    memory_seconds: float

    def current(self) -> Flow:
        """Give the current token; obtain one if there is none."""
        view = yield from self.settle()
        # Having looked, what follows need not look again: nor would it mend an eviction.
        yield from self.renewal.restore(view, new_owner())
        return (yield from self.renewal.seek(Need(self.renewal.clock())))

    def rotate(self, wait: bool) -> Flow:
        """Give a new token, published before the old one goes. Simultaneous orders are one.

        The old one is revoked at the provider when no process can hold it in memory any more: by
        the next order that comes after that, or now, after `wait`. Not one that came by a refresh
        token, with which a provider may revoke the grant.
        """
        yield from self.settle()
        old = self.renewal.memory.token
        token = yield from self.anew()
        if wait and old is not None:
            yield Sleep(self.memory_seconds)
            yield from self.settle()
        return token

    def anew(self) -> Flow:
        """Give a token newer than the one in use."""
        renewal = self.renewal
        yield from renewal.look()
        old = renewal.memory.token
        return (yield from renewal.seek(Need(renewal.clock(), rejected=old, ordered=True)))

    def revoke(self) -> Flow:
        """Forget the token everywhere, and the refresh token; then have the provider revoke them.

        RFC 7009. Raises TokenUnavailable where store, database or provider could not be told;
        what could be done is done then.
        """
        renewal = self.renewal
        doomed: list[Revocation] = []
        failures = yield from self.locked(partial(self._forget, doomed))
        yield renewal.announce("token_revoked")
        for revocation in doomed:
            try:
                yield from self._tell_provider(revocation)
            except TokenUnavailable as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def _forget(self, doomed: list[Revocation], owner: int) -> Flow:
        """Empty row and store under the lock; note what was there, give what could not be done."""
        renewal = self.renewal
        failures: list[TokenUnavailable] = []
        view = yield from renewal.look()
        if renewal.auth.refreshes and not doomed:
            stash = renewal.memory.stash
            try:
                held = yield from self._row("clear")
            except TokenUnavailable as error:
                failures.append(error)
            else:
                doomed += [_of_grant(t) for t in (held, stash and stash.refresh_token) if t]
                yield from renewal.unstash()
        tokens = [renewal.memory.token, *(due.token for due in (view.due if view else ()))]
        buried = yield from self._bury(owner)
        if buried is UNDECIDED:
            return UNDECIDED
        doomed += [_of_token(token) for token in tokens if token]
        return [*failures, *(() if view and buried else (self._unheard(),))]

    def store(self, refresh_token: Secret[str]) -> Flow:
        """Keep a refresh token that a person brings: the beginning of a new grant.

        The access token of the old one is forgotten, where the store can be told. Raises
        TokenUnavailable where the database does not take it.
        """
        yield from self._row("put", refresh_token)
        yield from self.renewal.unstash()
        with suppress(TokenUnavailable):  # the row is what counts
            yield from self.locked(self._look_and_bury)

    def _look_and_bury(self, owner: int) -> Flow:
        yield from self.renewal.look()
        return (yield from self._bury(owner))

    def _row(self, method: str, *args: Any) -> Flow:
        failed = None
        try:
            return (yield RowCall(method, args))
        except RowsUnavailable as error:
            failed = str(error)
        raise TokenUnavailable(
            f"{self.renewal.alias}: the refresh token is as it was: {failed}.",
            alias=self.renewal.alias,
            error="database_unavailable",
        )

    def _bury(self, owner: int) -> Flow:
        """Forget every record made so far; give None where only this process heard of it."""
        renewal = self.renewal
        now, token = renewal.clock(), renewal.memory.token
        # Above all that is known and all made by now: also what a process without sight of the
        # store may have obtained for itself.
        tombstone = max(renewal.memory.generation, int(now * 1000))
        life = max(60.0, token.expires_at - now if token else 0.0) + self.memory_seconds
        buried = yield from renewal.attempt("bury", owner, tombstone, life)
        if buried is False:
            return UNDECIDED
        renewal.memory.bury(tombstone, now)
        return buried

    def _unheard(self) -> TokenUnavailable:
        return TokenUnavailable(
            f"{self.renewal.alias}: the token is forgotten in this process only, because the "
            "cache does not answer. Revoke it again when the cache is back.",
            alias=self.renewal.alias,
            error="store_unavailable",
        )

    def locked(self, work: Callable[[int], Flow]) -> Flow:
        """Do `work` under the renewal lock; again while it is taken, or was lost meanwhile."""
        renewal, owner = self.renewal, new_owner()
        deadline = renewal.clock() + renewal.patience
        while renewal.clock() < deadline:
            outcome = yield from renewal.locked(owner, lambda _: work(owner))
            if outcome is not UNDECIDED:
                return outcome
            yield Sleep(POLL_LIMIT)
        raise TokenUnavailable(
            f"{renewal.alias}: a renewal has been under way for {renewal.patience:.0f} s; "
            "nothing was changed. Try again.",
            alias=renewal.alias,
            error="busy",
        )

    def settle(self) -> Flow:
        """Have the provider revoke replaced tokens that no process holds any more.

        Gives what the store held before.
        """
        renewal = self.renewal
        view = yield from renewal.look()
        if view is None or view.locked or not any(d.at <= renewal.clock() for d in view.due):
            return view
        owner = new_owner()
        ripe = yield from renewal.locked(owner, lambda _: self._strike_off(owner))
        for token in () if ripe is UNDECIDED else ripe:
            # It is replaced and will expire; the order at hand goes first.
            with suppress(TokenUnavailable):
                yield from self._tell_provider(_of_token(token))
        return view

    def _strike_off(self, owner: int) -> Flow:
        view = yield from self.renewal.look()
        now = self.renewal.clock()
        ripe = [due.token for due in view.due if due.at <= now] if view else []
        struck = yield from self.renewal.attempt("settle", owner, now)
        return ripe if struck else []

    def _tell_provider(self, build: Revocation) -> Flow:
        """Have something revoked; with each set of credentials until one is taken."""
        said, cause = "", None
        for request in self._requests(build):
            try:
                reply = yield Ask(request)
            except TransportError as error:
                said, cause = "did not answer", scrubbed(error)
            else:
                if reply.status < 400:
                    return
                said, cause = f"answered {reply.status}", None
        if said:
            raise TokenUnavailable(
                f"{self.renewal.alias}: the token is forgotten here, but its revocation_url "
                f"{said}: the provider may honour it until it expires.",
                alias=self.renewal.alias,
                error="not_revoked",
            ) from cause

    def _requests(self, build: Revocation) -> Iterator[Any]:
        renewal = self.renewal
        now = renewal.clock() + renewal.memory.offset
        requests = (build(auth.at(now)) for auth, _ in renewal.credentials())
        return (request for request in requests if request is not None)


def _of_token(token: Token) -> Revocation:
    return lambda auth: auth.revocation_request(token)


def _of_grant(refresh_token: Secret[str]) -> Revocation:
    return lambda auth: auth.refresh_revocation_request(refresh_token)
