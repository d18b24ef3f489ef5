"""The requests engine: one connection pool per client and process, one Session per thread."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from typing import Any
from urllib.parse import urljoin
from weakref import WeakSet

import requests

from apiclient_app.auth import AuthBackend, Reply, TokenRequest
from apiclient_app.conf import ClientConfig
from apiclient_app.exceptions import CallError, InvalidRequest
from apiclient_app.frames import without_machinery
from apiclient_app.secret import one_line, scrubbed, without_queries
from apiclient_app.tokens import Token

from .endpoint import FreshAdapter, bounded_body, within
from .environment import Session
from .faults import FOREIGN, mapped, unsent
from .outgoing import Outgoing
from .redirects import send_following

METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Z-]+")  # RFC 9110 section 5.6.2
POOLS = 4  # hosts that a client keeps connections to: its own, and where it is redirected


def unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave the request alone: as `auth=`, it keeps a .netrc from adding credentials."""
    return request


class RequestsEngine:
    """Sends with requests. Threads share the pool; cookies and other Session state are theirs."""

    def __init__(self, config: ClientConfig) -> None:
        self.config = config
        self.reset()

    def reset(self) -> None:
        """Start anew, as after a fork: a socket must not be used by two processes."""
        self._threads = threading.local()
        self._sessions: WeakSet[requests.Session] = WeakSet()
        self._lock = threading.Lock()
        self._adapter = requests.adapters.HTTPAdapter(
            pool_connections=POOLS, pool_maxsize=self.config.pool_size
        )

    def close(self) -> None:
        """Close the pooled connections; the next call opens new ones."""
        self._adapter.close()
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            session.close()

    def session(self) -> requests.Session:
        """Give this thread's Session: the user's own (SESSION), or ours."""
        session: requests.Session | None = getattr(self._threads, "session", None)
        if session is None:
            session = self.config.session() if self.config.session else self._mounted()
            self._threads.session = session
            with self._lock:
                self._sessions.add(session)
        return session

    def _mounted(self, adapter: requests.adapters.BaseAdapter | None = None) -> requests.Session:
        session = Session()
        for scheme in ("https://", "http://"):
            session.mount(scheme, adapter or self._adapter)
        return session

    def prepare(
        self, method: str, url: str, arguments: dict[str, Any], auth: AuthBackend | None = None
    ) -> Outgoing:
        """Prepare a call from the keyword arguments of `requests.request`; `auth` will sign it."""
        try:
            return self._prepare(method.upper(), url, auth or self.config.auth, **arguments)
        except BaseException as error:  # noqa: BLE001
            failed = self._presentable(error, method, url)
        raise failed

    def _prepare(
        self,
        method: str,
        url: str,
        signer: AuthBackend,
        /,
        *,
        headers: Any = None,
        auth: Any = None,
        timeout: Any = ...,
        allow_redirects: bool = True,
        proxies: Any = None,
        stream: bool | None = None,
        verify: Any = None,
        cert: Any = None,
        **content: Any,
    ) -> Outgoing:
        config, session = self.config, self.session()
        if not METHOD.fullmatch(method):
            raise InvalidRequest(
                f"{config.alias}: {one_line(method, 40)!r} is not a method; nothing was sent.",
                alias=config.alias,
            )
        if config.headers:
            headers = {**config.headers, **(headers or {})}
        if auth is None and not session.auth:
            auth = unsigned
        request = requests.Request(method, url, headers=headers, auth=auth, **content)
        prepared = session.prepare_request(request)
        if verify is None and config.verify is not True:
            verify = config.verify
        proxies = {**(config.proxies or {}), **(proxies or {})}
        options: dict[str, Any] = {
            **session.merge_environment_settings(
                str(prepared.url), proxies, stream, verify, cert or config.cert
            )
        }
        options["timeout"] = config.timeout if timeout is ... else timeout
        options["allow_redirects"] = allow_redirects
        return Outgoing(prepared, signer, options)

    def send(self, outgoing: Outgoing, token: Token | None) -> requests.Response:
        """Send a signed copy; raises TransportError."""
        config, prepared = self.config, outgoing.prepared
        try:
            return send_following(
                self.session(),
                prepared,
                partial(outgoing.auth.sign, token=token),
                dict(outgoing.options),
                config.base_url,
            )
        except BaseException as error:  # noqa: BLE001  # a task's time limit shows frames too
            more = (outgoing.auth.secrets, *([token.revealed] if token else ()))
            failed = self._presentable(error, str(prepared.method), str(prepared.url), *more)
        raise failed

    def _presentable(
        self, error: BaseException, method: str, url: str, *more: Callable[[], Sequence[str]]
    ) -> BaseException:
        """Give what may be raised for an error: nothing of it shows a secret, nor do its frames.

        Found here, not where it is raised: error reports show that frame's locals; and what is
        secret beside the settings is given by `more`, for the same reason.
        """
        if not isinstance(error, FOREIGN) or isinstance(error, CallError):
            return without_machinery(error)
        secrets = [*self.config.secrets(), *(text for texts in more for text in texts())]
        fault = mapped(error, self.config.alias, method, url, secrets)
        fault.__cause__ = scrubbed(error, partial(without_queries, secrets=secrets))
        return fault

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
                held_up,
            )
        except BaseException as error:  # noqa: BLE001
            failed = self._presentable(
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
        with config.session() if config.session else self._mounted(adapter) as session:
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
