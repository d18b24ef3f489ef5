"""What one client sends with: its own calls, and requests for tokens."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from functools import cache, partial
from importlib.util import find_spec
from threading import Lock
from typing import Any

import requests
from requests.cookies import extract_cookies_to_jar

from apiclient_app.auth import AuthBackend
from apiclient_app.conf import ClientConfig
from apiclient_app.exceptions import TransportError
from apiclient_app.tokens import Token

from .desk import Desk
from .drafts import Drafts
from .endpoint import TokenEndpoint
from .faults import Faults
from .network import Network
from .outgoing import Outgoing
from .redirects import following, travel
from .sessions import Sessions
from .streamed import streamed

logger = logging.getLogger("apiclient_app")


class Engine:
    """Does the I/O of one client and all its subjects. Shared by the threads of a process."""

    def __init__(self, config: ClientConfig) -> None:
        self.config = config
        self.network = Network()
        self.faults = Faults(config)
        self.drafts = Drafts(config)
        self.sessions = Sessions(config, self.network)
        self.desk, self.callers = Desk(), Desk(config.concurrency)
        self._lock = Lock()
        self._curl: Any = None
        self._said = False
        self.endpoint = TokenEndpoint(config, self.faults)
        self.ask, self.ask_through = self.endpoint.ask, self.endpoint.ask_through

    def reset(self) -> None:
        """Start anew, as after a fork: a socket must not be used by two processes."""
        self.sessions.reset()
        for threads in (self.desk, self.callers):
            threads.reset()
        self._lock = Lock()
        if self._curl is not None:
            self._curl.reset()

    def close(self) -> None:
        """Close the pooled connections; the next call opens new ones."""
        self.sessions.close()
        if self._curl is not None:
            self._curl.close()

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
            session = self.sessions.session(subject)
            hops = following(outgoing, token, session, self.config.base_url)
            if self.config.engine == "curl" and carried(outgoing) and self.fast():
                return travel(hops, partial(self._by_curl, session, subject))  # type: ignore[no-any-return]
            response = travel(hops, partial(self.sessions.send, subject=subject))
            if not outgoing.options["stream"]:
                return response  # type: ignore[no-any-return]
            present = partial(self.presentable, outgoing=outgoing, token=token)
            return streamed(response, present, self.config.response_limit, outgoing.deadline)
        except BaseException as error:  # noqa: BLE001  # a task's time limit shows frames too
            failed = self.presentable(error, outgoing, token)
        raise failed

    def _by_curl(
        self,
        session: requests.Session,
        subject: str,
        request: requests.PreparedRequest,
        options: dict[str, Any],
    ) -> requests.Response:
        response = self.curl().send(request, options)
        self.keep_cookies(session, request, response, subject)
        return response  # type: ignore[no-any-return]

    async def asend(self, outgoing: Outgoing, token: Token | None) -> requests.Response:
        """Do as `send`, in the running event loop."""
        if not self.fast() or not carried(outgoing):
            self.say_slow()
            return await self.callers.later(self.send, outgoing, token)  # type: ignore[no-any-return]
        try:
            return await self._asend(outgoing, token)
        except BaseException as error:  # noqa: BLE001
            failed = self.presentable(error, outgoing, token)
        raise failed

    async def _asend(self, outgoing: Outgoing, token: Token | None) -> requests.Response:
        session, subject = self.sessions.session(outgoing.subject), outgoing.subject
        hops = following(outgoing, token, session, self.config.base_url)
        resume: Any = hops.send
        value: Any = None
        while True:
            try:
                request, options = resume(value)
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]
            try:
                value, resume = await self.curl().asend(request, options), hops.send
                self.keep_cookies(session, request, value, subject)
            except BaseException as error:  # noqa: BLE001
                value, resume = error, hops.throw

    def seats(self) -> Any:
        """Give what bounds the calls of the running loop; threads are bounded by their number."""
        return self.curl().loop_wire().seats if self.fast() else nullcontext()

    def fast(self) -> bool:
        """Whether libcurl may send: it is there, and nothing but it would notice the difference.

        Not with a Session of the user's, under gevent, or while a test replays HTTP.
        """
        if self.config.session is not None or not self.network.is_itself():
            return False
        return pycurl_installed()

    def say_slow(self) -> None:
        """Say once, in the log, why many calls are made by threads."""
        if not self._said and self.config.session is None and not self.fast():
            self._said = True
            if not pycurl_installed():
                logger.warning(
                    "%s: map and async calls run in threads with requests, since pycurl is not "
                    "installed: pip install django-apiclient-app[fast]",
                    self.config.alias,
                )
            else:
                logger.info(
                    "%s: map and async calls run in threads with requests, since something here "
                    "replaces or instruments requests, urllib3 or sockets",
                    self.config.alias,
                )

    def curl(self) -> Any:
        """Give libcurl's transport; pycurl is imported now, if it has not been."""
        if self._curl is None:
            from .curl import Transport

            with self._lock:
                if self._curl is None:
                    config = self.config
                    connections = max(config.pool_size, config.concurrency)
                    self._curl = Transport(connections, config.concurrency, config.response_limit)
        return self._curl

    def keep_cookies(
        self,
        session: requests.Session,
        request: requests.PreparedRequest,
        response: Any,
        subject: str,
    ) -> None:
        if not subject and response.says(b"set-cookie"):
            extract_cookies_to_jar(session.cookies, request, response.raw)

    def presentable(
        self, error: BaseException, outgoing: Outgoing, token: Token | None
    ) -> BaseException:
        prepared, deadline = outgoing.prepared, outgoing.deadline
        more = (outgoing.auth.secrets, *([token.revealed] if token else ()))
        shown = self.faults.presentable(error, str(prepared.method), str(prepared.url), *more)
        if deadline is None or not isinstance(shown, TransportError):
            return shown
        if not shown.sent:
            deadline.unsent()
        if not deadline.over:
            return shown
        late = self.faults.too_late(prepared, deadline, [t for texts in more for t in texts()])
        late.sent, late.__cause__ = deadline.sent, shown.__cause__
        return late


def carried(outgoing: Outgoing) -> bool:
    """Whether libcurl sends such a call: none that hooks want to see as requests made it, none
    that is streamed, and no HEAD with a body."""
    request = outgoing.prepared
    if request.hooks["response"] or outgoing.options["stream"]:
        return False
    return request.method != "HEAD" or not request.body


@cache
def pycurl_installed() -> bool:
    return find_spec("pycurl") is not None
