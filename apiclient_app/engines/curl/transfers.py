"""One request on one of libcurl's easy handles, which are used again and again."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

import pycurl
import requests
from requests.exceptions import InvalidURL
from requests.utils import urldefragauth

from apiclient_app.deadlines import Deadline

from .bodies import Body
from .headers import header_lines
from .routes import NO_TIMEOUT_MS, take

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})  # RFC 9110 9.2.2
SUPPRESS_CONNECT_HEADERS = 265  # pycurl has no name for it
COUNTS = pycurl.version_info()[2] >= 0x080400  # what has come, where no length was announced

# In place of what libcurl would do by itself.
CONSTANT = (
    (pycurl.NOSIGNAL, 1),
    (pycurl.PATH_AS_IS, 1),
    (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
    (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS),
    (pycurl.NOPROXY, ""),  # requests has decided already
    (SUPPRESS_CONNECT_HEADERS, 1),
)


class Transfer:
    """An easy handle, what it received, and whom to tell when it is done.

    `finish` is called once with it, and libcurl's error code (0: none) and text. What the request
    before had set and this one has too is left as it is, callbacks and credentials included: to
    set everything anew costs 10 µs.
    """

    __slots__ = (
        "amount",
        "body",
        "chunks",
        "curl",
        "done",
        "finish",
        "headers",
        "known",
        "limit",
        "lines",
        "moved",
        "options",
        "patience",
        "profile",
        "request",
        "rested",
        "size",
        "timed",
    )

    def __init__(self, limit: int | None = None) -> None:
        self.limit, self.size = limit, 0  # of the body, in bytes
        self.curl = pycurl.Curl()
        self.lines: list[bytes] = []
        self.chunks: list[bytes] = []
        self.timed = False
        self.rested = False  # whether whoever drives it was away meanwhile
        self.moved = 0.0  # when, at the latest, the last bytes moved
        self.profile: Any = None
        self.known: Any = None  # the options of the last plain GET, if it was one
        self.headers: Any = None
        self.body: Body | None = None
        self.patience: float | None = None
        self.finish: Callable[[Transfer, int, str], None] = _nobody
        self.done: Any = None

    def load(self, request: requests.PreparedRequest, options: dict[str, Any]) -> None:
        """Set the handle up for a request."""
        self.request, self.options = request, options
        # The same object as before says all there is to say, and nearly always it is the same.
        if options is not self.known or request.method != "GET" or request.body is not None:
            profile = _profile(request, options)
            if profile is None or profile != self.profile:
                self._set_all(request, options)
                self.profile = profile
            plain = request.method == "GET" and request.body is None and not options["proxies"]
            deadline = options.get("deadline")
            self.known = options if plain and deadline is None else None
            self._set_deadline(deadline)
        url = str(request.url)
        if "\0" in url:
            raise InvalidURL("the URL has a NUL")
        # libcurl would make credentials of user information; requests has dealt with it.
        self.curl.setopt(pycurl.URL, urldefragauth(url) if "@" in url else url)
        headers = request.headers._store
        if headers != self.headers:
            self.headers = None
            self.curl.setopt(pycurl.HTTPHEADER, list(header_lines(request.headers)))
            self.headers = dict(headers)  # theirs may be changed by whoever got the response
        self.amount = 0

    def unload(self) -> None:
        """Let go of what was received, and of what waited for it."""
        self.lines.clear()
        self.chunks.clear()
        self.size = 0
        self.finish, self.done = _nobody, None
        if self.request.body is not None:
            self.profile = self.headers = self.body = None
            self.curl.reset()  # or else it keeps the body
        del self.request, self.options

    def _set_deadline(self, deadline: Deadline | None) -> None:
        """Have libcurl end it then, whatever moves meanwhile."""
        if deadline is not None and deadline.kept:
            deadline = None
        if deadline is None and not self.timed:
            return
        self.timed = deadline is not None
        left = 0 if deadline is None else ceil(max(0.001, deadline.remaining()) * 1000)
        self.curl.setopt(pycurl.TIMEOUT_MS, min(left, NO_TIMEOUT_MS))

    def way(self) -> tuple[str, dict[str, Any]]:
        return str(self.request.url), self.options

    def unsent(self) -> bool:
        """Whether nothing of the request can have been sent: not even on a connection before."""
        return self.curl.getinfo(pycurl.REQUEST_SIZE) == 0  # type: ignore[no-any-return]

    def _set_all(self, request: requests.PreparedRequest, options: dict[str, Any]) -> None:
        self.profile = self.headers = None
        self.curl.reset()
        for option, value in CONSTANT:
            self.curl.setopt(option, value)
        self.curl.setopt(pycurl.HEADERFUNCTION, self.lines.append)
        self.curl.setopt(pycurl.WRITEFUNCTION, self.chunks.append if COUNTS else self._count)
        if self.limit is not None and request.method != "HEAD":  # whose length has no body
            self.curl.setopt(pycurl.MAXFILESIZE_LARGE, self.limit)
        self._set_method()
        self.patience = take(self.curl, str(request.url), options)

    def _count(self, chunk: bytes) -> int:
        """Take a chunk; break off beyond the limit, as libcurl itself does from 8.4 on."""
        self.chunks.append(chunk)
        self.size += len(chunk)
        return -1 if self.limit is not None and self.size > self.limit else len(chunk)

    def stuck(self, now: float) -> bool:
        """Whether nothing has come or gone for longer than the read timeout."""
        if self.patience is None:
            return False
        if self.unsent():  # it is being connected, which has a timeout of its own
            self.moved = now
            return False
        amount = len(self.lines) + len(self.chunks) + self.curl.getinfo(pycurl.SIZE_UPLOAD_T)
        if amount != self.amount:
            self.amount, self.moved = amount, now
        return now - self.moved > self.patience

    def _set_method(self) -> None:
        setopt, request = self.curl.setopt, self.request
        body = request.body
        if body is not None:
            setopt(pycurl.POST, 1)
            self._set_body(body)
        elif request.method == "HEAD":
            setopt(pycurl.NOBODY, 1)
        else:
            setopt(pycurl.HTTPGET, 1)
        if request.method not in ("GET", "HEAD") or body is not None:
            setopt(pycurl.CUSTOMREQUEST, request.method)
        if request.method not in IDEMPOTENT and not (body and isinstance(body, bytes | str)):
            # libcurl sends again what a kept connection did not answer. It cannot rewind a body
            # without our help; what may have none goes over a connection of its own.
            setopt(pycurl.FRESH_CONNECT, 1)

    def _set_body(self, body: Any) -> None:
        self.body = Body(body)
        self.curl.setopt(pycurl.READFUNCTION, self.body.read)
        if self.request.method in IDEMPOTENT:
            self.curl.setopt(pycurl.SEEKFUNCTION, self.body.rewind)
        length = self.request.headers.get("Content-Length")
        if length is not None:
            self.curl.setopt(pycurl.POSTFIELDSIZE_LARGE, int(length))


def _profile(request: requests.PreparedRequest, options: dict[str, Any]) -> Any:
    """Give what decides how a handle is set up, but for URL and headers; None with a body."""
    if request.body is not None:
        return None
    proxies = options["proxies"]
    return (
        request.method,
        options["timeout"],
        options["verify"],
        options["cert"],
        options["stream"],
        (str(request.url).split("/", 3)[:3], sorted(proxies.items())) if proxies else None,
    )


def _nobody(_transfer: Transfer, _code: int, _text: str) -> None:
    """Nobody waits for it any more."""
