"""One connection pool per client and process, one Session per thread."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from functools import partial
from operator import methodcaller
from typing import Any
from weakref import WeakSet

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import extract_cookies_to_jar

from apiclient_app.conf import ClientConfig
from apiclient_app.guard.retries import IDEMPOTENT

from .bounded import held
from .connections import Errand, Errands, noting
from .environment import Session
from .headers import check, cookie_jar
from .network import Network
from .patience import within
from .redirects import by_session
from .timeouts import timeouts
from .watch import Watch

STALE_TRIES = 4  # a server that restarts closes all that are kept; as often as libcurl
POOLS = 4  # hosts that a client keeps connections to: its own, and where it is redirected
SHUTDOWN = methodcaller("shutdown")


class Adapter(HTTPAdapter):
    """Finds the pool of the client's own host once, not on every call (10 % of a small one)."""

    def __init__(self, home: str, pool_size: int) -> None:
        super().__init__(pool_connections=POOLS, pool_maxsize=pool_size)
        self._home = f"{'/'.join(home.split('/')[:3])}/"
        self._kept: dict[Any, Any] = {}
        self.errands = Errands()

    def get_connection_with_tls_context(
        self, request: Any, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        if proxies or not request.url.startswith(self._home):
            return self._pool(request, verify, proxies, cert)
        key = (verify, cert if cert is None or isinstance(cert, str) else tuple(cert))
        pool = self._kept.get(key)
        if pool is None:
            pool = self._pool(request, verify, proxies, cert)
            super().cert_verify(pool, request.url, verify, cert)
            self._kept[key] = pool
        return pool

    def _pool(self, request: Any, *how: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(request, *how)
        if "ConnectionCls" not in vars(pool):
            pool.ConnectionCls = noting(pool.ConnectionCls, self.errands)
        return pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        if conn not in self._kept.values():
            super().cert_verify(conn, url, verify, cert)

    def close(self) -> None:
        self._kept.clear()  # a pool closes when nobody holds it any more
        super().close()

    def request_url(self, request: Any, proxies: Any) -> str:
        return str(super().request_url(request, proxies) if proxies else request.path_url)


class Sessions:
    """Sends with requests. Threads share the pool; cookies and other Session state are theirs."""

    def __init__(self, config: ClientConfig, network: Network) -> None:
        self.config, self.network = config, network
        self.reset()

    def reset(self) -> None:
        """Start anew, as after a fork: a socket must not be used by two processes."""
        self._threads = threading.local()
        self._sessions: WeakSet[requests.Session] = WeakSet()
        self._lock = threading.Lock()
        self._adapter = Adapter(self.config.base_url, self.config.pool_size)
        self._watch = Watch()

    def close(self) -> None:
        """Close the pooled connections; the next call opens new ones."""
        self._adapter.close()
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            session.close()

    def session(self, subject: str = "") -> requests.Session:
        """Give this thread's Session: the user's own (SESSION), or ours.

        One for the application's own calls, and one for all subjects, without cookies: what an
        API sets for one of them must not go with the calls of another.
        """
        kept = "subjects" if subject else "own"
        session: requests.Session | None = getattr(self._threads, kept, None)
        if session is None:
            session = self.config.session() if self.config.session else mounted(self._adapter)
            setattr(self._threads, kept, session)
            with self._lock:
                self._sessions.add(session)
            if subject:
                self._threads.pristine = session.cookies.copy()
        elif subject and (self.config.session or len(session.cookies)):
            session.cookies = self._threads.pristine.copy()
        return session

    def send(
        self, request: requests.PreparedRequest, options: dict[str, Any], subject: str = ""
    ) -> requests.Response:
        """Send one request, and no other; raises what requests does."""
        check(request.headers)
        session = self.session(subject)
        if (
            type(session) is not Session
            or request.hooks["response"]
            or not self.network.requests_is_itself()
        ):
            return self._by_theirs(session, request, options)
        deadline, errand = options.get("deadline"), self._adapter.errands.begin()
        if deadline is None:
            return self._sent(session, request, options, errand, subject)
        errand.until = deadline.until
        entry = self._watch.at(errand.until, errand.cut)
        try:
            response = self._sent(session, request, in_time(options), errand, subject)
        finally:
            if not options["stream"]:  # or else the body is still to be read
                self._watch.forget(entry)
        if errand.cut_off:  # a body whose end is that of its connection seems to be whole
            raise requests.ReadTimeout("cut off")
        return response

    def _sent(
        self,
        session: requests.Session,
        request: requests.PreparedRequest,
        options: dict[str, Any],
        errand: Errand,
        subject: str,
    ) -> requests.Response:
        began = time.perf_counter()
        response = self._answered(request, options, errand)
        response.elapsed = timedelta(seconds=time.perf_counter() - began)
        if not subject and "Set-Cookie" in response.headers:
            extract_cookies_to_jar(session.cookies, request, response.raw)
        held(response, limit=self.config.response_limit, stream=options["stream"])
        return response

    def _answered(
        self, request: requests.PreparedRequest, options: dict[str, Any], errand: Errand
    ) -> requests.Response:
        """Send it, and at once again where a kept connection turns out to have been closed."""
        for _ in range(STALE_TRIES):
            try:
                return self._to_adapter(request, options)
            except requests.ConnectionError as error:
                if not harmless(request) or not errand.was_stale(error):
                    raise
        return self._to_adapter(request, options)

    def _to_adapter(
        self, request: requests.PreparedRequest, options: dict[str, Any]
    ) -> requests.Response:
        return self._adapter.send(
            request,
            stream=options["stream"],
            timeout=options["timeout"],
            verify=options["verify"],
            cert=options["cert"],
            proxies=options["proxies"],
        )

    def _by_theirs(
        self, session: requests.Session, request: requests.PreparedRequest, options: dict[str, Any]
    ) -> requests.Response:
        """Send with a Session of the user's, or one that is being replaced by a test.

        There is no cutting its connections off before an answer has come: with a deadline it is
        left to itself in a thread.
        """
        limit, deadline = self.config.response_limit, options.get("deadline")
        self._adapter.errands.begin()  # theirs may be our adapter: it is on no earlier errand
        if deadline is None:
            return by_session(session, request, options, limit)
        how = in_time(options)
        response: requests.Response = within(
            max(0.001, deadline.remaining()),
            lambda: by_session(session, request, how, limit),
            self._forget,
            "no whole answer by the deadline",
        )
        if options["stream"]:
            raw = response.raw  # not the response, which would keep its body until then
            self._watch.at(deadline.until, partial(SHUTDOWN, raw))
        return response

    def _forget(self) -> None:
        """Leave this thread's Sessions to whoever still uses them."""
        for kept in ("own", "subjects"):
            vars(self._threads).pop(kept, None)


def harmless(request: requests.PreparedRequest) -> bool:
    """Whether a request may be sent again, and can be."""
    body: object = request.body
    return request.method in IDEMPOTENT and (body is None or isinstance(body, str | bytes))


def in_time(options: dict[str, Any]) -> dict[str, Any]:
    """Give options whose timeouts end at the deadline."""
    left = max(0.001, options["deadline"].remaining())
    connect, read = timeouts(options["timeout"])
    bounded = tuple(left if part is None else min(part, left) for part in (connect, read))
    return {**options, "timeout": bounded}


def mounted(adapter: requests.adapters.BaseAdapter) -> requests.Session:
    session = Session()
    session.cookies = cookie_jar()
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)
    return session
