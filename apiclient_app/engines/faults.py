"""From what requests and urllib3 raise to our own errors: the one place."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import requests
import urllib3

from apiclient_app.auth.replies import asked
from apiclient_app.conf import ClientConfig
from apiclient_app.deadlines import Deadline
from apiclient_app.exceptions import (
    CallError,
    DeadlineExceeded,
    InvalidRequest,
    RateLimited,
    RequestTimeout,
    ResponseTooLarge,
    StatusError,
    TransportError,
    Unauthorized,
    status_error_class,
)
from apiclient_app.frames import without_machinery
from apiclient_app.secret import (
    SENSITIVE_NAME,
    mask_url,
    one_line,
    redact,
    scrubbed,
    without_queries,
)

from .oversize import STATUSES, oversize


class Unconnected(requests.ConnectionError):
    """No connection came about: nothing was sent."""


class Oversized(requests.ConnectionError):
    """The body is longer than RESPONSE_LIMIT; its connection is closed."""


FOREIGN = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, UnicodeError)
UNSENDABLE = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidJSONError,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.URLRequired,
    UnicodeError,
)
UNCONNECTED = (
    Unconnected,
    requests.exceptions.ConnectTimeout,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.NewConnectionError,
    ssl.SSLCertVerificationError,
    ConnectionRefusedError,
    requests.exceptions.InvalidProxyURL,
)
QUOTED = re.compile(r'="([^"]{8,})"')  # the parts of a signature, as some schemes send it
EXCERPT_BYTES = 4096
SAID = {
    Oversized: "the answer is longer than RESPONSE_LIMIT",
    requests.exceptions.ConnectTimeout: "no connection within TIMEOUT",
    requests.exceptions.ReadTimeout: "no answer within TIMEOUT",
    requests.exceptions.SSLError: "TLS failed",
    requests.exceptions.ProxyError: "the proxy failed",
    requests.exceptions.TooManyRedirects: "too many redirects",
    requests.exceptions.ChunkedEncodingError: "the answer broke off",
    requests.exceptions.ContentDecodingError: "the answer cannot be decoded",
    requests.exceptions.InvalidProxyURL: "the proxy URL cannot be used",
    urllib3.exceptions.ReadTimeoutError: "no answer within TIMEOUT",
    urllib3.exceptions.ProtocolError: "the answer broke off",
    urllib3.exceptions.DecodeError: "the answer cannot be decoded",
}


def mapped(
    error: Exception, alias: str, method: str, url: str, secrets: Collection[str] = ()
) -> CallError:
    """Give the error of ours for a foreign one; our own pass unchanged."""
    if isinstance(error, CallError):
        return error
    kind: type[CallError] = TransportError
    if isinstance(error, requests.Timeout | TimeoutError | urllib3.exceptions.TimeoutError):
        kind = RequestTimeout
    elif _unsendable(error):
        kind = InvalidRequest
    elif isinstance(error, Oversized):
        kind = ResponseTooLarge
    said = next((text for cls, text in SAID.items() if isinstance(error, cls)), "")
    reason = one_line(without_queries(str(error), secrets), 160)
    shown = mask_url(url, secrets)
    # Not "…/token: no answer": what follows a name like that and a colon is taken for a secret.
    text = f"{_place(alias, method, shown)} failed: {said or type(error).__name__}"
    text = f"{text} ({reason})" if reason else text
    sent = not _never_connected(error)
    if sent and type(error) is requests.ConnectionError:  # cut off without an answer
        text = "; ".join(filter(None, (text, oversize(getattr(error, "request", None)))))
    fault = kind(text, alias=alias, method=method, url=shown)
    fault.sent = sent
    return fault


class Faults:
    """The errors of one client's calls, as they may be shown."""

    def __init__(self, config: ClientConfig) -> None:
        self.config = config

    def too_late(
        self, request: Any, deadline: Deadline | None, secrets: Collection[str] = ()
    ) -> DeadlineExceeded:
        """Make the error for a call that was not done in its time."""
        alias, method = self.config.alias, str(request.method)
        url = mask_url(str(request.url), secrets or self.config.secrets())
        seconds = f" ({deadline.seconds:g} s)" if deadline else ""
        text = f"{_place(alias, method, url)} failed: not done by its deadline{seconds}"
        return DeadlineExceeded(text, alias=alias, method=method, url=url)

    def presentable(
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


def _unsendable(error: object) -> bool:
    """Whether the request could not be built. Some of these are raised for a reply as well."""
    if isinstance(error, requests.exceptions.InvalidHeader):
        return not isinstance(error.args[0] if error.args else "", urllib3.exceptions.HTTPError)
    if isinstance(error, requests.exceptions.InvalidProxyURL | UnicodeDecodeError):
        return False
    return isinstance(error, UNSENDABLE)


def _never_connected(error: BaseException) -> bool:
    """Whether no connection came about, so that nothing can have been sent.

    Their own parts are asked, not `__context__`: that may be what the caller is just handling.
    """
    if getattr(error, "led_on", False):  # there was one to the server that redirected it
        return False
    seen: set[int] = set()
    todo: list[Any] = [error]
    while todo:
        one = todo.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        refused = type(one) is OSError and str(one).startswith("Tunnel connection failed")
        if refused or isinstance(one, UNCONNECTED) or _unsendable(one):
            return True
        seen.add(id(one))
        todo += [getattr(one, "reason", None), *one.args]
    return False


def oversized(limit: int | None) -> Oversized:
    """Make the error for a body longer than `limit`."""
    return Oversized(f"{limit} bytes, decoded: raise it, or stream the answer")


def unsent(text: str) -> TransportError:
    """Make the error for a request that was not sent."""
    error = TransportError(text)
    error.sent = False
    return error


def status_error(
    response: requests.Response, alias: str, secrets: Collection[str] = (), expired: bool = False
) -> StatusError:
    """Give the error for a response of 400 and above, or for one that was judged expired."""
    status = response.status_code
    secrets = [*secrets, *_carried(getattr(response, "request", None))]
    kind = Unauthorized if expired else status_error_class(status)
    method = str(getattr(response.request, "method", ""))
    url = mask_url(str(response.url), secrets)
    piece = one_line(redact(excerpt(response), secrets), 200)
    reason = one_line(redact(str(response.reason or ""), secrets), 60)
    said = f"{status} {reason}".strip()
    if status in STATUSES and (long := oversize(response.request)):
        said = f"{said} ({long})"
    text = f"{_place(alias, method, url)}: {said}" + (f": {piece}" if piece else "")
    error = kind(text, alias=alias, method=method, url=url, response=response)
    error.status_code = status
    if isinstance(error, RateLimited):
        error.retry_after = asked(response.headers, time.time())
    return error


def _carried(request: Any) -> list[str]:
    """Give the credentials a request really went out with: the token may be another by now."""
    headers = getattr(request, "headers", None) or {}
    values = [str(v) for n, v in headers.items() if SENSITIVE_NAME.search(n)]
    after_scheme = [value.split(" ", 1)[1] for value in values if " " in value]
    quoted = [piece for value in values for piece in QUOTED.findall(value)]
    return [*values, *after_scheme, *quoted]


def excerpt(response: Any) -> str:
    """Give the beginning of the body; of a streamed one too, which it reads in part and closes."""
    if not response._content_consumed:
        try:
            piece = next(response.iter_content(EXCERPT_BYTES), b"")
        except (requests.RequestException, ValueError, RuntimeError):
            piece = b""
        response.close()
        response._content = piece
        response._content_consumed = True
    return _text((response.content or b"")[:EXCERPT_BYTES], response)


def _text(body: bytes, response: Any) -> str:
    if "charset" not in response.headers.get("Content-Type", "").lower():
        # requests takes text/html for Latin-1; a secret in UTF-8 would not be recognised.
        for ending in range(4):  # the cut may have gone through a character
            with suppress(UnicodeDecodeError):
                return body[: len(body) - ending].decode()
    try:
        return str(body, response.encoding or "utf-8", "replace")
    except (LookupError, ValueError):  # a charset that nobody knows, or that is none: idna
        return str(body, "utf-8", "replace")


def _place(alias: str, method: str, url: str) -> str:
    call = f"{method} {one_line(url, 500)}"
    return f"{alias}: {call}" if alias else call
