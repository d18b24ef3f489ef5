"""The headers and cookies of a request, looked at once more before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any

from requests.cookies import RequestsCookieJar
from requests.exceptions import InvalidHeader
from requests.utils import check_header_validity

from apiclient_app.auth.headers import BROKEN, named, sendable, text


def check(headers: Any) -> None:
    """InvalidHeader for one that would begin another, of all that a request goes out with.

    requests looks neither at cookies nor at what signing adds, and http.client lets a line go on
    in the next (RFC 9112 section 5.2), which others take for two. No pattern, for speed: a token
    has kilobytes, and every call has it.
    """
    for name, value in headers._store.values():
        line = value if type(value) is str else text(value)
        if "\n" in line or "\r" in line or "\0" in line or not named(name):
            raise _unsendable(name)


def check_given(headers: Mapping[Any, Any]) -> None:
    """InvalidHeader for what requests takes in no call either; its text would show the value."""
    for header in headers.items():
        if header[1] is None:  # which takes a default away
            continue
        if not sendable(*header):
            raise _unsendable(header[0])
        try:
            check_header_validity(header)
        except InvalidHeader:
            raise _unsendable(header[0]) from None


def _unsendable(name: object) -> InvalidHeader:
    return InvalidHeader(f"the header {name!r} has a name or value that cannot be sent")


class Sendable(DefaultCookiePolicy):
    """Takes no cookie that could not be sent back: every call after it would fail."""

    def set_ok(self, cookie: Any, request: Any) -> bool:
        return not BROKEN.search(f"{cookie.name}{cookie.value}") and super().set_ok(
            cookie, request
        )


def cookie_jar() -> RequestsCookieJar:
    """Give an empty cookie jar."""
    return RequestsCookieJar(policy=Sendable())
