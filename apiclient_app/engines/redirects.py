"""Redirects under our own rule: credentials go to BASE_URL's origin only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import requests

from apiclient_app.frames import raised_in
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
    ours = {name for name, value in signed.headers.items() if request.headers.get(name) != value}
    history: list[requests.Response] = []
    elapsed = response.elapsed
    while (onward := response.next) is not None:
        if len(history) >= session.max_redirects:
            raise requests.TooManyRedirects(
                f"exceeded {session.max_redirects} redirects", response=response
            )
        if origin(str(onward.url)) == origin(home):
            _restore(onward, request)
            sign(onward)
        else:
            _strip(onward, ours)
        history.append(response)
        response = _sent(session, onward, options)
        elapsed += response.elapsed
    response.history = history
    response.elapsed = max(elapsed, timedelta(0))
    return response


def _sent(
    session: requests.Session, request: requests.PreparedRequest, options: dict[str, Any]
) -> requests.Response:
    try:
        return session.send(request, allow_redirects=False, **options)
    except ValueError as error:
        # requests looks at the Location of a redirect even if it is not to follow it.
        if type(error) is not ValueError or not raised_in(error, "urllib.parse"):
            raise
    raise requests.ConnectionError("it redirects to a URL that cannot be read")


def _strip(onward: requests.PreparedRequest, ours: set[str]) -> None:
    for name in list(onward.headers):
        if name in ours or (SENSITIVE_NAME.search(name) and name.lower() != "cookie"):
            del onward.headers[name]


def _restore(onward: requests.PreparedRequest, request: requests.PreparedRequest) -> None:
    """Undo what a .netrc did: requests lets it replace Authorization on every redirect."""
    original = request.headers.get("Authorization")
    if original is None:
        onward.headers.pop("Authorization", None)
    else:
        onward.headers["Authorization"] = original
