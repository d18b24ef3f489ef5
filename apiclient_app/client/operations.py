"""What can be done with the token of one client and subject."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from random import SystemRandom
from typing import Any

import requests

from apiclient_app.auth import AuthBackend
from apiclient_app.conf import ClientConfig
from apiclient_app.engines import Rooms, run
from apiclient_app.exceptions import InvalidRequest, TokenError
from apiclient_app.flow.renewal import Renewal
from apiclient_app.flow.switching import SwitchFlow
from apiclient_app.memory import Memory
from apiclient_app.paths import join
from apiclient_app.secret import Secret
from apiclient_app.steps import Flow
from apiclient_app.store.seal import Seal
from apiclient_app.tokens import Inspection, Token, TokenState, new_token

from .inspecting import held, kept
from .judge import Judge

jitter = SystemRandom().random  # a fork copies the state of the other generators


class TokenOperations:
    """The half of a client that is about its token. All raise `APIClientError`s."""

    def __init__(
        self, config: ClientConfig, auth: AuthBackend, rooms: Rooms, seal: Seal, subject: str
    ) -> None:
        self.config, self.auth, self.rooms, self.subject = config, auth, rooms, subject
        judge = self._judge = Judge(config, auth, rooms.memory, seal)
        successor = config.auth.successor
        self._renewal = Renewal(
            alias=config.alias,
            subject=subject,
            auth=auth,
            memory=rooms.memory,
            token_timeout=config.token_timeout,
            clock=time.time,
            jitter=jitter,
            redact=judge.redact,
            fingerprint=judge.mark,
            successor=seal.mark(successor.identity()) if successor else "",
        )

    @property
    def alias(self) -> str:
        return self.config.alias

    @property
    def memory(self) -> Memory:
        return self.rooms.memory

    @property
    def _orders(self) -> SwitchFlow:
        seconds = self.config.memory_seconds
        return SwitchFlow(renewal=self._renewal, memory_seconds=seconds, works=self._judge.works)

    def _run(self, flow: Flow) -> Any:
        return run(flow, self.rooms, type(self))

    def token(self) -> Token:
        """Give the current token; obtain one if there is none."""
        if not self.auth.renewable:
            return self._static_token()
        return self._run(self._orders.current())  # type: ignore[no-any-return]

    def inspect(self) -> Inspection:
        """Tell what is known of token and grant, without asking the API."""
        known = Inspection(
            alias=self.alias,
            subject=self.subject,
            base_url=self.config.base_url,
            backend=self.config.auth_path,
            state=TokenState.STATIC,
        )
        if not self.auth.renewable:
            return known
        view = self._run(self._renewal.look())
        return replace(
            known,
            store_available=view is not None,
            switched=self._renewal.switched,
            **held(self.memory, time.time()),
            **kept(self.rooms.rows),
        )

    def rotate_token(self, *, wait: bool = False) -> Token:
        """Give a new token, published before the old one goes.

        Where the backend can revoke, the old one is revoked at the provider once no process holds
        it in memory any more (MEMORY_SECONDS): by the next token operation, or at once, and after
        that time, with `wait`. Not one that a refresh token gave: some providers revoke the grant
        with it. A recorded failure does not hold a rotation back, and success clears it.
        """
        self._refuse_static("rotate")
        return self._run(self._orders.rotate(wait))  # type: ignore[no-any-return]

    def settle(self) -> None:
        """Have the provider revoke replaced tokens that no process holds any more."""
        self._run(self._orders.settle())

    def revoke_token(self) -> None:
        """Forget the token, everywhere within MEMORY_SECONDS; revoke it at the provider.

        Clears a recorded failure too. The next call obtains a new token, but where the grant was
        a refresh token: that is revoked and forgotten with it. Raises TokenUnavailable where the
        cache, the database or the provider (`revocation_url`, RFC 7009) could not be told.
        """
        self._refuse_static("revoke")
        self._run(self._orders.revoke())

    def store_refresh_token(self, value: str | Secret[str]) -> None:
        """Keep a refresh token, the beginning of a new grant: what was held before is forgotten.

        It mends "needs attention". Raises InvalidRequest for what can be none, TokenError where
        the backend knows no refresh tokens or the database does not take it.
        """
        refresh_token = value if isinstance(value, Secret) else Secret(value)
        del value  # error reports show the locals of this frame
        if not self.auth.refreshes:
            raise TokenError(
                f"{self.alias}: its auth backend knows no refresh tokens; configure RefreshToken "
                f"in API_CLIENTS[{self.alias!r}]['AUTH'].",
                alias=self.alias,
                error="static",
            )
        if not _sendable(refresh_token.reveal()):
            raise InvalidRequest(
                f"{self.alias}: that is no refresh token: it is empty, or has control characters.",
                alias=self.alias,
            )
        self._run(self._orders.store(Secret(refresh_token.reveal().strip())))

    def switch_credentials(self) -> Token:
        """Use the next client credentials (OPTIONS["next"]) everywhere, once they are proven.

        They must obtain a token, and the API must take it for CHECK. Gives that token; what is in
        use goes on until no process holds it. Raises TokenError, and nothing was changed.
        """
        self._refuse_static("switch")
        check = None
        if self.config.check is not None:
            method, path = self.config.check
            url = join(self.config.base_url, path, self.alias)
            check = self.rooms.engine.prepare(method, url, {}, self.auth, self.subject)
        return self._run(self._orders.switch(check))  # type: ignore[no-any-return]

    def _refuse_static(self, verb: str) -> None:
        if not self.auth.renewable:
            raise TokenError(
                f"{self.alias}: there is no token to {verb}, its credentials are those in "
                f"settings. Change API_CLIENTS[{self.alias!r}]['AUTH']['OPTIONS'].",
                alias=self.alias,
                error="static",
            )

    def _static_token(self) -> Token:
        blank = requests.Request("GET", self.config.base_url).prepare()
        self.auth.sign(blank, None)
        headers = {name: Secret(str(value)) for name, value in blank.headers.items()}
        return new_token(headers, sent_at=0, obtained_at=time.time(), life=math.inf)


def _sendable(text: Any) -> bool:
    return isinstance(text, str) and bool(text.strip()) and text.strip().isprintable()
