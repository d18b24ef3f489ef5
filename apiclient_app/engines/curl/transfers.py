"""One request on one of libcurl's easy handles, which are used again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pycurl
import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH, select_proxy, urldefragauth

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})  # RFC 9110 9.2.2
NO_TIMEOUT_MS = 2**31 - 1
STREAM_BUFFER = 262_144

# In place of what libcurl would do by itself.
CONSTANT = (
    (pycurl.NOSIGNAL, 1),
    (pycurl.PATH_AS_IS, 1),
    (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
    (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS),
    (pycurl.NOPROXY, ""),  # requests has decided already
)


class Transfer:
    """An easy handle, what it received, and whom to tell when it is done.

    `finish` is called once with it, and libcurl's error code (0: none) and text. What the request
    before had set and this one has too is left as it is, callbacks and credentials included: to
    set everything anew costs 10 µs.
    """

    __slots__ = (
        "amount",
        "chunks",
        "curl",
        "done",
        "finish",
        "headers",
        "lines",
        "moved",
        "options",
        "patience",
        "profile",
        "request",
        "rested",
    )

    def __init__(self) -> None:
        self.curl = pycurl.Curl()
        self.lines: list[bytes] = []
        self.chunks: list[bytes] = []
        self.rested = False  # whether whoever drives it was away meanwhile
        self.moved = 0.0  # when, at the latest, the last bytes moved
        self.profile: Any = None
        self.headers: Any = None
        self.patience: float | None = None
        self.finish: Callable[[Transfer, int, str], None] = _nobody
        self.done: Any = None

    def load(self, request: requests.PreparedRequest, options: dict[str, Any]) -> None:
        """Set the handle up for a request."""
        self.request, self.options = request, options
        profile = _profile(request, options)
        if profile is None or profile != self.profile:
            self._set_all(request, options)
            self.profile = profile
        url = str(request.url)
        # libcurl would make credentials of user information; requests has dealt with it.
        self.curl.setopt(pycurl.URL, urldefragauth(url) if "@" in url else url)
        headers = request.headers._store
        if headers != self.headers:
            self.curl.setopt(pycurl.HTTPHEADER, list(_header_lines(request.headers)))
            self.headers = headers
        self.amount = 0

    def unload(self) -> None:
        """Let go of what was received, and of what waited for it."""
        self.lines.clear()
        self.chunks.clear()
        self.finish, self.done = _nobody, None
        if self.request.body is not None:
            self.profile = self.headers = None
            self.curl.reset()  # or else it keeps the body
        del self.request, self.options

    def unsent(self, code: int) -> bool:
        """Whether it failed for the time that it took to connect."""
        return (  # type: ignore[no-any-return]
            code == pycurl.E_OPERATION_TIMEDOUT
            and not self.lines
            and self.curl.getinfo(pycurl.PRETRANSFER_TIME) == 0
        )

    def _set_all(self, request: requests.PreparedRequest, options: dict[str, Any]) -> None:
        self.profile = self.headers = None
        self.curl.reset()
        for option, value in CONSTANT:
            self.curl.setopt(option, value)
        self.curl.setopt(pycurl.HEADERFUNCTION, self.lines.append)
        self.curl.setopt(pycurl.WRITEFUNCTION, self.chunks.append)
        self._set_method()
        self._set_way(options)

    def stuck(self, now: float) -> bool:
        """Whether nothing has come or gone for longer than the read timeout."""
        if self.patience is None:
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
            setopt(pycurl.READFUNCTION, self._reading(body))
            length = request.headers.get("Content-Length")
            if length is not None:
                setopt(pycurl.POSTFIELDSIZE_LARGE, int(length))
        elif request.method == "HEAD":
            setopt(pycurl.NOBODY, 1)
        else:
            setopt(pycurl.HTTPGET, 1)
        if request.method not in ("GET", "HEAD") or body is not None:
            setopt(pycurl.CUSTOMREQUEST, request.method)
        if request.method not in IDEMPOTENT and not body:
            # libcurl sends again what a kept connection did not answer. It cannot rewind a body
            # without our help; what has none goes over a connection of its own.
            setopt(pycurl.FRESH_CONNECT, 1)

    def _reading(self, body: Any) -> Callable[[int], bytes]:
        if isinstance(body, str):
            body = body.encode()
        if isinstance(body, bytes | bytearray):
            view, place = memoryview(body), 0

            def piece(size: int) -> bytes:
                nonlocal place
                place += size
                return bytes(view[place - size : place])

            if self.request.method in IDEMPOTENT:

                def seek(offset: int, _origin: int) -> int:
                    nonlocal place
                    place = offset
                    return pycurl.SEEKFUNC_OK

                self.curl.setopt(pycurl.SEEKFUNCTION, seek)
            return piece
        if hasattr(body, "read"):
            return lambda size: _bytes(body.read(size))
        return _from_pieces(iter(body))

    def _set_way(self, options: dict[str, Any]) -> None:
        connect, self.patience = _timeouts(options["timeout"])
        setopt = self.curl.setopt
        setopt(pycurl.CONNECTTIMEOUT_MS, NO_TIMEOUT_MS if connect is None else int(connect * 1000))
        proxy = select_proxy(str(self.request.url), options.get("proxies") or {})
        setopt(pycurl.PROXY, proxy or "")
        if options.get("stream"):
            setopt(pycurl.BUFFERSIZE, STREAM_BUFFER)
        self._set_tls(options["verify"], options["cert"])

    def _set_tls(self, verify: Any, cert: Any) -> None:
        setopt = self.curl.setopt
        if verify is False:
            setopt(pycurl.SSL_VERIFYPEER, 0)
            setopt(pycurl.SSL_VERIFYHOST, 0)
        else:
            bundle = DEFAULT_CA_BUNDLE_PATH if verify is True or verify is None else str(verify)
            setopt(*authorities(bundle))
        if cert is not None:
            certificate, key = (cert, None) if isinstance(cert, str) else cert
            setopt(pycurl.SSLCERT, certificate)
            if key:
                setopt(pycurl.SSLKEY, key)


def authorities(bundle: str) -> tuple[int, str]:
    """Give the option for a bundle of certificates, or for a folder of them."""
    return (pycurl.CAPATH if Path(bundle).is_dir() else pycurl.CAINFO), bundle


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
        (str(request.url).split("/", 3)[2], sorted(proxies.items())) if proxies else None,
    )


def _timeouts(timeout: Any) -> tuple[float | None, float | None]:
    """Give seconds to connect and to wait for the next bytes, as requests reads `timeout`."""
    if isinstance(timeout, tuple):
        try:
            connect, read = timeout
        except ValueError:
            raise ValueError(
                f"Invalid timeout {timeout}. Pass a (connect, read) timeout tuple, "
                f"or a single float to set both timeouts to the same value."
            ) from None
        return connect, read
    return timeout, timeout


def _header_lines(headers: Any) -> Iterator[str | bytes]:
    seen_expect = False
    for name, value in headers.items():
        seen_expect = seen_expect or name == "Expect"
        if isinstance(value, bytes):
            yield name.encode("latin-1") + b": " + value
        elif value:
            line = f"{name}: {value}"
            yield line if line.isascii() else line.encode("latin-1")
        else:
            yield f"{name};"  # libcurl's spelling of an empty value
    if not seen_expect:
        yield "Expect:"
    for own in ("Accept", "User-Agent"):
        if own not in headers:
            yield f"{own}:"


def _bytes(piece: Any) -> bytes:
    return piece.encode() if isinstance(piece, str) else piece


def _from_pieces(pieces: Iterator[Any]) -> Callable[[int], bytes]:
    rest = b""

    def piece(size: int) -> bytes:
        nonlocal rest
        while not rest:
            try:
                rest = _bytes(next(pieces))
            except StopIteration:
                return b""
        given, rest = rest[:size], rest[size:]
        return given

    return piece


def _nobody(_transfer: Transfer, _code: int, _text: str) -> None:
    """Nobody waits for it any more."""
