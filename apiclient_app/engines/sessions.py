"""One connection pool per client and process, one Session per thread."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any
from weakref import WeakSet

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import extract_cookies_to_jar

from apiclient_app.conf import ClientConfig

from .bounded import held
from .environment import Session
from .network import Network
from .redirects import by_session

POOLS = 4  # hosts that a client keeps connections to: its own, and where it is redirected


class Adapter(HTTPAdapter):
    """Finds the pool of the client's own host once, not on every call (10 % of a small one)."""

    def __init__(self, home: str, pool_size: int) -> None:
        super().__init__(pool_connections=POOLS, pool_maxsize=pool_size)
        self._home = f"{'/'.join(home.split('/')[:3])}/"
        self._kept: dict[Any, Any] = {}

    def get_connection_with_tls_context(
        self, request: Any, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        if proxies or not request.url.startswith(self._home):
            return super().get_connection_with_tls_context(request, verify, proxies, cert)
        key = (verify, cert if cert is None or isinstance(cert, str) else tuple(cert))
        pool = self._kept.get(key)
        if pool is None:
            pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
            super().cert_verify(pool, request.url, verify, cert)
            self._kept[key] = pool
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
        session = self.session(subject)
        if (
            type(session) is not Session
            or request.hooks["response"]
            or not self.network.requests_is_itself()
        ):
            return by_session(session, request, options, self.config.response_limit)
        began = time.perf_counter()
        response = self._adapter.send(
            request,
            stream=options["stream"],
            timeout=options["timeout"],
            verify=options["verify"],
            cert=options["cert"],
            proxies=options["proxies"],
        )
        response.elapsed = timedelta(seconds=time.perf_counter() - began)
        if not subject and "Set-Cookie" in response.headers:
            extract_cookies_to_jar(session.cookies, request, response.raw)
        held(response, limit=self.config.response_limit, stream=options["stream"])
        return response


def mounted(adapter: requests.adapters.BaseAdapter) -> requests.Session:
    session = Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)
    return session
