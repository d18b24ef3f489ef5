"""Asking a token endpoint: a fresh connection, no redirect, bounded in time and memory."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from math import inf
from typing import Any
from urllib.parse import urljoin

import requests

from apiclient_app.auth import Reply, TokenRequest
from apiclient_app.conf import ClientConfig
from apiclient_app.conf.transit import in_clear
from apiclient_app.exceptions import CallError, InvalidRequest, TransportError

from .faults import Faults, unsent
from .headers import check
from .patience import within
from .sessions import mounted

REPLY_LIMIT = 1_048_576
PIECE = 65_536


class FreshAdapter(requests.adapters.HTTPAdapter):
    """Keeps hold of its connections, so that another thread can cut them off.

    `response` is what is being read, also where another adapter (SESSION) brought it.
    """

    def __init__(self) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1)
        self.opened: list[Any] = []
        self.response: Any = None

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        create, opened = pool.ConnectionCls, self.opened

        def remembered(*args: Any, **kwargs: Any) -> Any:
            connection = create(*args, **kwargs)
            opened.append(connection)
            return connection

        pool.ConnectionCls = remembered
        return pool

    def cut(self) -> None:
        for connection in self.opened:
            if (sock := getattr(connection, "sock", None)) is not None:
                with suppress(OSError):
                    sock.shutdown(2)
        # None before urllib3 2.3: there, the thread reads on until the server has done.
        shutdown = getattr(getattr(self.response, "raw", None), "shutdown", None)
        if shutdown is not None:
            with suppress(OSError, ValueError, RuntimeError):
                shutdown()


def bounded_body(response: requests.Response) -> bytes:
    """Read at most `REPLY_LIMIT` decoded bytes; TransportError if there are more."""
    pieces, size = [], 0
    for piece in response.iter_content(PIECE):
        size += len(piece)
        if size > REPLY_LIMIT:
            raise TransportError(f"the reply is longer than {REPLY_LIMIT} bytes")
        pieces.append(piece)
    return b"".join(pieces)


class TokenEndpoint:
    """Sends token requests, each in a thread of its own."""

    def __init__(self, config: ClientConfig, faults: Faults) -> None:
        self.config, self.faults = config, faults

    def ask(self, request: TokenRequest, until: float = inf) -> Reply:
        """Send a token request, not after `until`; raises TransportError within TOKEN_TIMEOUT."""
        return self._within(request, until, None)

    def ask_through(
        self, request: TokenRequest, until: float
    ) -> tuple[Reply | BaseException, BaseException | None]:
        """Do as `ask` does, whatever interrupts it; give what came of it, and the interruption."""
        held_up: list[BaseException] = []
        outcome: Reply | BaseException
        try:
            outcome = self._within(request, until, held_up)
        except BaseException as error:  # noqa: BLE001
            outcome = error
        if isinstance(outcome, BaseException) and not isinstance(outcome, CallError):
            raise outcome  # interrupted a second time
        return outcome, held_up[0] if held_up else None

    def _within(
        self, request: TokenRequest, until: float, held_up: list[BaseException] | None
    ) -> Reply:
        adapter = FreshAdapter()
        try:
            return within(  # type: ignore[no-any-return]
                self.config.token_timeout,
                partial(self._ask, request, adapter, until),
                adapter.cut,
                "no whole reply within TOKEN_TIMEOUT",
                held_up,
            )
        except BaseException as error:  # noqa: BLE001
            failed = self.faults.presentable(
                error, request.method, self._absolute(request), request.secrets
            )
        raise failed

    def _absolute(self, request: TokenRequest) -> str:
        return urljoin(self.config.base_url, request.url)

    def _ask(self, request: TokenRequest, adapter: FreshAdapter, until: float) -> Reply:
        url = self._absolute(request)
        config, (body, content_type) = self.config, request.content
        agent = config.headers.get("User-Agent", requests.utils.default_user_agent())
        headers = {"User-Agent": agent, **request.headers}
        if content_type:
            headers["Content-Type"] = content_type
        # Prepared apart from any Session: neither cookies nor hooks nor a .netrc have a say.
        prepared = requests.Request(request.method, url, headers=headers, data=body).prepare()
        check(prepared.headers)
        if not config.allow_http and (host := in_clear(str(prepared.url))):
            raise InvalidRequest(
                f"{config.alias}: the token request would send credentials over plain http to "
                f"{host}; use https, or set ALLOW_HTTP.",
                alias=config.alias,
            )
        with config.session() if config.session else mounted(adapter) as session:
            options = session.merge_environment_settings(
                url, dict(config.proxies or {}), True, self._verify(), config.cert
            )
            # Not by session.send, which reads all of a redirect's body, however long it is.
            transport = session.get_adapter(url)
            if (sent_at := time.time()) > until:
                raise unsent("too late to ask: stopped on the way, and given up meanwhile")
            with transport.send(prepared, timeout=self._patience(), **options) as response:
                adapter.response = response
                return Reply(
                    response.status_code,
                    {name.lower(): value for name, value in response.headers.items()},
                    bounded_body(response),
                    received_at=time.time(),
                    sent_at=sent_at,
                )

    def _patience(self) -> tuple[float, float]:
        """Give the timeouts to connect, whose end says that nothing was sent, and to read.

        The latter is for the thread's own end: TOKEN_TIMEOUT as a whole comes before it.
        """
        timeout, total = self.config.timeout, self.config.token_timeout
        connect = (timeout[0] if isinstance(timeout, tuple) else timeout) or total
        return min(connect, 0.9 * total), total + 1

    def _verify(self) -> bool | str | None:
        return None if self.config.verify is True else self.config.verify
