"""Redirects under our own rule: credentials go to BASE_URL's origin only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlsplit, urlunsplit

import requests

from apiclient_app.frames import passed_through
from apiclient_app.paths import origin
from apiclient_app.secret import SENSITIVE_NAME

Sign = Callable[[requests.PreparedRequest], None]


def send_following(
    session: requests.Session,
    request: requests.PreparedRequest,
    sign: Sign,
    options: dict[str, Any],
    home: str,
) -> requests.Response:
    """Sign and send `request`, follow its redirects, sign again those that stay at `home`.

    requests strips only Authorization on the way to another host; an X-API-Key would go along.
    """
    follow = options.pop("allow_redirects", True)
    signed = request.copy()
    sign(signed)
    response = _sent(session, signed, options)
    if not follow or not response.is_redirect:
        return response
    ours = _added(request, signed)
    history: list[requests.Response] = []
    elapsed = response.elapsed
    while (onward := response.next) is not None:
        if len(history) >= session.max_redirects:
            raise requests.TooManyRedirects(
                f"exceeded {session.max_redirects} redirects", response=response
            )
        options["proxies"] = session.rebuild_proxies(onward, options.get("proxies"))
        if _at(home, str(onward.url)):
            _restore(onward, request)
            sign(onward)
        else:
            _strip(onward, *ours)
        history.append(response)
        response = _sent(session, onward, options, led=True)
        elapsed += response.elapsed
    response.history = history
    response.elapsed = max(elapsed, timedelta(0))
    return response


def _sent(
    session: requests.Session,
    request: requests.PreparedRequest,
    options: dict[str, Any],
    led: bool = False,
) -> requests.Response:
    """Send; ConnectionError for a URL that cannot be used, if it was a server that `led` there."""
    try:
        return session.send(request, allow_redirects=False, **options)
    except requests.HTTPError as error:
        response = error.response
        if response is None or response.request is not request:
            raise
        # A hook of the user's raises for every status; what this one means is not decided here.
        if not options.get("stream"):
            _ = response.content
        return response
    except ValueError as error:
        unusable = led and isinstance(error, requests.RequestException | UnicodeError)
        # requests looks at the Location of a redirect even if it is not to follow it.
        if not unusable and not passed_through(error, "resolve_redirects"):
            raise
    raise requests.ConnectionError("it redirects to a URL that cannot be used")


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
