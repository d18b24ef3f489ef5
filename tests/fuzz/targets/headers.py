"""What single headers say: that a token has expired, to wait, how many calls are left, to go
elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any

import requests
from urllib3.util import parse_url

from apiclient_app.auth import ApiKey, Secret
from apiclient_app.auth.replies import retry_after
from apiclient_app.dates import instant, number
from apiclient_app.engines.curl.answers import whole
from apiclient_app.engines.faults import FOREIGN, mapped
from apiclient_app.engines.outgoing import Outgoing
from apiclient_app.engines.redirects import following, travel
from apiclient_app.exceptions import CallError
from apiclient_app.expiry import AnyRule, ExpiryRule, bearer_errors
from apiclient_app.guard.rates import LONGEST_TOLD, Log, RateLimit, allowance, told
from tests.fuzz.messages import HOME, SECRET, message

NOW, LIMIT = 1_800_000_000.0, 1 << 20
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
RULES = (
    ExpiryRule(error=("invalid_token",)),
    ExpiryRule(frozenset({400, 401}), {"error": ("expired", 7, None), "data.0.code": (1.5,)}),
    ExpiryRule(frozenset({200, 403}), header={"X-Why": ("expired",)}),
)


def expired(data: bytes) -> None:
    response = message(data).response()
    said = [rule(response) for rule in RULES]
    assert AnyRule(RULES)(response) is any(said)


def challenge(data: bytes) -> None:
    text = data.decode("latin-1")
    for code in bearer_errors(text):
        assert code == code.lower()
        assert len(code) <= len(text)


def retry_after_header(data: bytes) -> None:
    text = data.decode("latin-1")
    for found in (number(text), instant(text)):
        assert found is None or isfinite(found)
    seconds = retry_after(text, NOW)
    if seconds is not None:
        assert seconds >= 0
        # Callers add it to a date, Celery does.
        assert datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=seconds) > LONG_AGO


def rate_limit(data: bytes) -> None:
    said = told(message(data).headers, NOW)
    if said is not None:
        assert type(said.left) is int
        assert said.left >= 0
        assert 0 < said.seconds <= LONGEST_TOLD
    try:
        one = allowance(data.decode("latin-1"))
    except ValueError:
        return
    log = Log(RateLimit(allowances=(one,)).spans)
    assert log.reserve(NOW, 0) == (True, 0)


def location(data: bytes) -> None:
    """Wherever a redirect leads: the credentials stay at home, and errors are ours."""
    there = b"Location: %b\r\n" % data.replace(b"\n", b"")
    heads = iter([[b"HTTP/1.1 302 Found\r\n", there]] * 3)

    def send(request: requests.PreparedRequest, options: dict[str, Any]) -> requests.Response:
        if not _home(request):
            assert SECRET not in f"{request.url} {request.headers}"
        return whole(request, next(heads, [b"HTTP/1.1 200 OK\r\n"]), [], 0.1, LIMIT)

    headers = {"X-Session": SECRET}
    prepared = requests.Request("GET", f"{HOME}things", headers=headers).prepare()
    options = {"allow_redirects": True, "stream": False, "verify": True, "proxies": {}}
    outgoing = Outgoing(prepared, ApiKey(key=Secret(SECRET)), options)
    try:
        with requests.Session() as jar:
            jar.trust_env = False
            travel(following(outgoing, None, jar, HOME), send)
    except FOREIGN as error:
        fault = mapped(error, "api", "GET", HOME, [SECRET])
        assert isinstance(fault, CallError)
        assert str(fault).isprintable()
        assert SECRET not in str(fault)


def _home(request: requests.PreparedRequest) -> bool:
    """Whether whoever connects reaches our API."""
    url = parse_url(str(request.url))
    return (url.scheme, url.host, url.port or 443) == ("https", "api.example", 443)
