"""From the client credentials in use to the next ones, without a call that fails. Without I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import methodcaller
from typing import Any

from apiclient_app.auth.base import UNREADABLE
from apiclient_app.exceptions import TokenError, TokenRefused, TransportError
from apiclient_app.steps import Auth, Flow, Send
from apiclient_app.tokens import Token

from .need import UNDECIDED
from .orders import OrderFlow
from .refreshing import given


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchFlow(OrderFlow):
    """Two sets of client credentials. `works` judges a response to the call that proves them."""

    works: Callable[[Any], bool]

    def switch(self, check: Any) -> Flow:
        """Use the next credentials everywhere, once they are proven. Gives the new token.

        Proven: they obtain a token, and the API takes it for `check`, a request (if there is one).
        What is in use goes on until processes have forgotten it. Raises TokenError.
        """
        renewal = self.renewal
        successor = renewal.auth.successor
        if successor is None or renewal.switched:
            text = "there are no next credentials" if successor is None else "they are in use"
            raise self._unproven("no_next", f"{text}; put them into OPTIONS['next']")
        if renewal.auth.obtains:
            return (yield from self._prove_and_publish(successor, check))
        # Said to all first, for that is how they are tried; taken back if they do not do.
        proven = False
        yield from renewal.switch(True)
        try:
            token = yield from self.anew()
            if renewal.memory.switched != renewal.successor:
                raise self._unproven("next_refused", "the provider refuses the next credentials")
            yield from self._check(check, token)
            proven = True
        finally:
            if not proven:
                yield from renewal.switch(False)
        return token

    def _check(self, check: Any, token: Token) -> Flow:
        response = None if check is None else (yield Send(check, token))
        if response is not None and not self.works(response):
            status = response.status_code
            raise self._unproven("next_unfit", f"the API answers {status} to their token")

    def _prove_and_publish(self, successor: Auth, check: Any) -> Flow:
        renewal = self.renewal
        sent_at = renewal.clock()
        grant = yield from self._granted_to(successor, sent_at + renewal.lease)
        yield from self._check(check, renewal.minted(grant, sent_at))

        def publish(owner: int) -> Flow:
            yield from renewal.look()
            if renewal.auth.refreshes:
                row = yield from renewal.reread()
                if row is not None and (row.generation or grant.refresh_token):
                    yield from renewal.keep(row, grant.refresh_token)
            token = renewal.minted(grant, sent_at)
            old = None if renewal.auth.refreshes else renewal.memory.token
            published = yield from renewal.attempt("publish", owner, token, old)
            if published is False:
                return UNDECIDED
            yield from renewal.switch(True)
            renewal.memory.advance(token, renewal.clock())
            yield renewal.announce("token_obtained", token_id=token.id)
            return token

        return (yield from self.locked(publish))

    def _granted_to(self, successor: Auth, until: float) -> Flow:
        try:
            build = methodcaller("token_request")
            return given((yield from self.renewal.asked(successor, build, until)))
        except (TokenError, TransportError, *UNREADABLE) as error:
            trouble = self.renewal.understood(error)
        said = f"{trouble.error}: {trouble.description}".rstrip(": ")
        raise self._unproven("next_refused", f"they obtain no token ({said})") from trouble.cause

    def _unproven(self, error: str, text: str) -> TokenRefused:
        alias = self.renewal.alias
        message = f"{alias}: nothing was changed: {text}."
        return TokenRefused(error, text, message=message, alias=alias)
