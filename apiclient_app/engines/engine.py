"""What one client sends with: its own calls, and requests for tokens."""

from __future__ import annotations

from functools import partial
from typing import Any

import requests

from apiclient_app.auth import AuthBackend
from apiclient_app.conf import ClientConfig
from apiclient_app.tokens import Token

from .drafts import Drafts
from .endpoint import TokenEndpoint
from .faults import Faults
from .network import Network
from .outgoing import Outgoing
from .redirects import following, travel
from .sessions import Sessions


class Engine:
    """Does the I/O of one client and all its subjects. Shared by the threads of a process."""

    def __init__(self, config: ClientConfig) -> None:
        self.config = config
        self.network = Network()
        self.faults = Faults(config)
        self.drafts = Drafts(config)
        self.sessions = Sessions(config, self.network)
        self.endpoint = TokenEndpoint(config, self.faults)
        self.ask, self.ask_through = self.endpoint.ask, self.endpoint.ask_through

    def reset(self) -> None:
        """Start anew, as after a fork: a socket must not be used by two processes."""
        self.sessions.reset()

    def close(self) -> None:
        """Close the pooled connections; the next call opens new ones."""
        self.sessions.close()

    def prepare(
        self,
        method: str,
        url: str,
        arguments: dict[str, Any],
        auth: AuthBackend | None = None,
        subject: str = "",
    ) -> Outgoing:
        """Prepare a call from the keyword arguments of `requests.request`; `auth` will sign it."""
        try:
            return self.drafts.prepare(
                self.sessions.session(subject),
                method.upper(),
                url,
                arguments,
                auth or self.config.auth,
                subject,
            )
        except BaseException as error:  # noqa: BLE001
            failed = self.faults.presentable(error, method, url)
        raise failed

    def send(self, outgoing: Outgoing, token: Token | None) -> requests.Response:
        """Send a signed copy; raises TransportError."""
        subject = outgoing.subject
        try:
            hops = following(outgoing, token, self.sessions.session(subject), self.config.base_url)
            return travel(hops, partial(self.sessions.send, subject=subject))  # type: ignore[no-any-return]
        except BaseException as error:  # noqa: BLE001  # a task's time limit shows frames too
            failed = self._presentable(error, outgoing, token)
        raise failed

    def _presentable(
        self, error: BaseException, outgoing: Outgoing, token: Token | None
    ) -> BaseException:
        prepared = outgoing.prepared
        more = (outgoing.auth.secrets, *([token.revealed] if token else ()))
        return self.faults.presentable(error, str(prepared.method), str(prepared.url), *more)
