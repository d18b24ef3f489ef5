"""Redirects under our own rule: credentials go to BASE_URL's origin only."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlsplit, urlunsplit

import requests
from requests.models import REDIRECT_STATI

from apiclient_app.frames import passed_through
from apiclient_app.paths import origin
from apiclient_app.secret import SENSITIVE_NAME
from apiclient_app.tokens import Token

from .bounded import held, holding
from .faults import Unconnected
from .headers import cookie_jar
from .outgoing import Outgoing, twin

FAULTS_OF_URLS = (requests.RequestException, UnicodeError)
Hop = tuple[requests.PreparedRequest, Any]  # what to send, and how
Hops = Generator[Hop, requests.Response, requests.Response]


def following(outgoing: Outgoing, token: Token | None, jar: requests.Session, home: str) -> Hops:
    """Sign the request, follow its redirects, sign again those that stay at `home`.

    Yields each request to send and gets its response; `jar` says what requests makes of a
    redirect, and holds the cookies. requests strips only Authorization on the way to another
    host; an X-API-Key would go along. Raises what sending raises, and TooManyRedirects.
    """
    request = signed(outgoing, token)
    response = yield request, outgoing.options
    if response.status_code not in REDIRECT_STATI:
        return response
    return (yield from led_on(outgoing, token, jar, home, request, response))


def signed(outgoing: Outgoing, token: Token | None) -> requests.PreparedRequest:
    """Give a signed copy of the request; ConnectTimeout where its time is over already."""
    if outgoing.deadline is not None:
        outgoing.deadline.sending()
        if outgoing.deadline.remaining() <= 0:
            raise requests.ConnectTimeout(Unconnected("there was no time left to send it"))
    request = twin(outgoing.prepared)
    outgoing.auth.sign(request, token)
    return request


def led_on(
    outgoing: Outgoing,
    token: Token | None,
    jar: requests.Session,
    home: str,
    signed: requests.PreparedRequest,
    response: requests.Response,
) -> Hops:
    """Go on as `following` does, where the answer to the signed request is a redirect."""
    request, options = outgoing.prepared, outgoing.options
    if not options["allow_redirects"]:
        with suppress(requests.RequestException):
            response._next = _onward(jar, response, options)
        return response
    ours, options = _added(request, signed), dict(options)
    history: list[requests.Response] = []
    elapsed = response.elapsed
    while (onward := _onward(jar, response, options)) is not None:
        if len(history) >= jar.max_redirects:
            raise requests.TooManyRedirects(
                f"exceeded {jar.max_redirects} redirects", response=response
            )
        options["proxies"] = jar.rebuild_proxies(onward, options.get("proxies"))
        if _at(home, str(onward.url)):
            _restore(onward, request)
            outgoing.auth.sign(onward, token)
        else:
            _strip(onward, *ours)
        history.append(response)
        response = yield from _led(onward, options)
        elapsed += response.elapsed
    response.history = history
    response.elapsed = max(elapsed, timedelta(0))
    return response


def _onward(
    jar: requests.Session, response: requests.Response, options: Any
) -> requests.PreparedRequest | None:
    """Give the request that a redirect leads to; ConnectionError where it leads nowhere."""
    if not response.is_redirect or response.next is not None:
        return response.next  # Session.send has looked already
    with_jar(response.request)
    how: Any = {
        name: options.get(name) for name in ("stream", "timeout", "verify", "cert", "proxies")
    }
    try:
        onward: Any = next(
            jar.resolve_redirects(response, response.request, yield_requests=True, **how), None
        )
    except ValueError:
        pass
    else:
        return onward  # type: ignore[no-any-return]
    raise _unusable()


def _led(onward: requests.PreparedRequest, options: dict[str, Any]) -> Hops:
    """Have it sent; ConnectionError for a URL that cannot be used, as a server led there.

    Whatever is raised here is marked: the request that was led on has been sent.
    """
    try:
        return (yield onward, options)
    except Exception as error:
        error.led_on = True  # type: ignore[attr-defined]
        if not isinstance(error, ValueError) or not isinstance(error, FAULTS_OF_URLS):
            raise
    raise _unusable()


def by_session(
    session: requests.Session,
    request: requests.PreparedRequest,
    options: dict[str, Any],
    limit: int | None,
) -> requests.Response:
    """Send with `Session.send`, and leave redirects and hooks that raise to `following`."""
    how = {**options, "allow_redirects": False}
    how.pop("deadline", None)
    with_jar(request)
    try:
        with holding(request, limit):
            response = session.send(request, **how)
    except requests.HTTPError as error:
        refused = error.response
        if refused is None or refused.request is not request:
            raise
        # A hook of the user's raises for every status; what this one means is not decided here.
        held(refused, limit=limit, stream=options.get("stream"))
        return refused
    except ValueError as error:
        # requests looks at the Location of a redirect even if it is not to follow it.
        if not passed_through(error, "resolve_redirects"):
            raise
    else:
        if response.next is not None:
            response.next.hooks = request.hooks
        return response
    raise _unusable()


def with_jar(request: requests.PreparedRequest) -> None:
    """Give it the jar that requests expects: ours go out without one."""
    if request._cookies is None:
        request._cookies = cookie_jar()


def _unusable() -> requests.ConnectionError:
    return requests.ConnectionError("it redirects to a URL that cannot be used")


def _at(home: str, url: str) -> bool:
    try:
        return origin(url) == origin(home)
    except ValueError:
        return False


def _added(
    request: requests.PreparedRequest, signed: requests.PreparedRequest
) -> tuple[set[str], set[str]]:
    """Give the names of the headers and the values in the query that signing added."""
    names = {name for name, value in signed.headers.items() if request.headers.get(name) != value}
    before, after = (parse_qsl(urlsplit(str(r.url)).query) for r in (request, signed))
    return names, {value for name, value in set(after) - set(before)}


def _strip(onward: requests.PreparedRequest, names: set[str], values: set[str]) -> None:
    for name in list(onward.headers):
        if name in names or (SENSITIVE_NAME.search(name) and name.lower() != "cookie"):
            del onward.headers[name]
    if values:  # a server may repeat our query in its Location
        parts = urlsplit(str(onward.url))
        fields = parts.query.split("&")
        kept = [field for field in fields if unquote_plus(field.partition("=")[2]) not in values]
        onward.url = urlunsplit(parts._replace(query="&".join(kept)))


def _restore(onward: requests.PreparedRequest, request: requests.PreparedRequest) -> None:
    """Undo what a .netrc did: requests lets it replace Authorization on every redirect."""
    original = request.headers.get("Authorization")
    if original is None:
        onward.headers.pop("Authorization", None)
    else:
        onward.headers["Authorization"] = original


def travel(hops: Hops, send: Callable[[requests.PreparedRequest, dict[str, Any]], Any]) -> Any:
    """Drive `hops` to its end with a function that sends; give the last response."""
    resume: Any = hops.send
    value: Any = None
    while True:
        try:
            request, options = resume(value)
        except StopIteration as stop:
            return stop.value
        try:
            value, resume = send(request, options), hops.send
        except BaseException as error:  # noqa: BLE001
            value, resume = error, hops.throw
