"""A request from a template is the one that requests would have prepared."""

import io
from collections.abc import Callable
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from apiclient_app import clients as handler
from tests.conftest import Configure

BASES = ["http://api.example/v1/", "https://api.example:8443/", "https://a-b.example/x/y~z/"]
TEXT = st.text(alphabet="abZ09-_.~ /?&=%+\u00e4\u20ac", max_size=6)
VALUES = st.one_of(
    TEXT, st.integers(), st.none(), st.floats(allow_nan=False), st.binary(max_size=3)
)
PARAMS = st.one_of(
    st.none(),
    st.dictionaries(TEXT, st.one_of(VALUES, st.lists(VALUES, max_size=2)), max_size=3),
    st.lists(st.tuples(TEXT, TEXT), max_size=2),
    TEXT,
)
NAMES = st.sampled_from(
    [
        "X-A",
        "x-a",
        "Accept",
        "accept",
        "User-Agent",
        "Content-Type",
        "content-type",
        "X-Set",
        "Content-Length",
        "Authorization",
        "Cookie",
        "Host",
        "Transfer-Encoding",
        "Connection",
    ]
)
HEADERS = st.one_of(
    st.none(),
    st.dictionaries(
        NAMES, st.sampled_from(["", "a/b", "\u00e4", b"bytes", None, "5"]), max_size=4
    ),
)
PATHS = st.one_of(
    st.sampled_from(["", "x", "users/1", "a.b", "x/", "a//b", "x?", "x?a=b&c", "x?y=/z", "~"]),
    st.text(alphabet="abcZ09/._~-?=&%", max_size=10),
)
JSON = st.one_of(st.none(), st.sampled_from([{}, [], {"a": "\u00e4"}, 0, False, "", 1.5, [None]]))
DATA = st.sampled_from(
    [
        None,
        None,
        None,
        {},
        [],
        "",
        b"",
        "text",
        b"bytes",
        {"a": ["1", "2"]},
        [("a", "1")],
        "file",
        "pieces",
        "bytearray",
    ]
)
ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "params": PARAMS,
        "headers": HEADERS,
        "json": JSON,
        "data": DATA,
        "timeout": st.sampled_from([None, 5, (1, 2)]),
        "stream": st.sampled_from([None, True, False]),
        "allow_redirects": st.booleans(),
    },
)
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"])


def made(arguments: dict[str, Any]) -> dict[str, Any]:
    """Give arguments of its own to each who prepares."""
    sources: dict[str, Callable[[], Any]] = {
        "file": lambda: io.BytesIO(b"file"),
        "pieces": lambda: iter([b"1"]),
        "bytearray": lambda: bytearray(b"123"),
    }
    data = arguments.get("data")
    fresh = sources[data]() if isinstance(data, str) and data in sources else data
    return {**arguments, **({"data": fresh} if "data" in arguments else {})}


def prepared(draft: Any, *arguments: Any, **kwargs: Any) -> Any:
    """Give what it prepares, as plain values; or the error."""
    try:
        given = draft(*arguments, **kwargs)
    except (ValueError, requests.RequestException, TypeError) as error:
        return type(error), str(error)
    return given and shown(*given)


def shown(request: requests.PreparedRequest, options: dict[str, Any]) -> dict[str, Any]:
    body = request.body
    if not isinstance(body, bytes | str | None):
        body = type(body).__name__
    return {
        "method": request.method,
        "url": request.url,
        "headers": sorted(request.headers.items()),
        "stored": dict(request.headers._store),
        "body": body,
        "position": request._body_position,
        "hooks": {event: list(hooks) for event, hooks in request.hooks.items()},
        "options": {name: options[name] for name in sorted(options)},
    }


@pytest.fixture(autouse=True)
def _configured(api_clients: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    more = {"HEADERS": {"X-Set": "1", "x-b": "\u00e4"}, "VERIFY": "/ca.pem", "TIMEOUT": (1, 7)}
    api_clients(
        **{f"plain{n}": {"BASE_URL": base} for n, base in enumerate(BASES)},
        **{f"set{n}": {"BASE_URL": base, **more} for n, base in enumerate(BASES)},
    )


@settings(
    max_examples=700, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(["plain", "set"]), st.integers(0, 2), METHODS, PATHS, ARGUMENTS)
@example("set", 0, "POST", "x", {"json": {}, "headers": {"content-type": "a/b"}})
@example("plain", 0, "GET", "x", {"headers": {"Content-Length": "5"}})
@example("plain", 0, "GET", "x", {"params": {"a": "~ \u00e4"}})
def test_a_template_gives_what_requests_would(
    kind: str, number: int, method: str, path: str, arguments: dict[str, Any]
) -> None:
    engine = handler[f"{kind}{number}"].rooms.engine
    session, drafts = engine.sessions.session(""), engine.drafts
    url = f"{BASES[number]}{path}"
    quickly = prepared(drafts._from_template, session, method, url, **made(arguments))
    if quickly is not None:
        assert quickly == prepared(drafts._by_requests, session, method, url, **made(arguments))


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
@pytest.mark.parametrize(
    "arguments",
    [{}, {"params": {"a": 1}}, {"json": {"a": 1}}, {"headers": {"X": "1"}}, {"timeout": 1}],
    ids=str,
)
def test_common_calls_are_made_from_the_template(method: str, arguments: dict[str, Any]) -> None:
    engine = handler["set0"].rooms.engine
    session = engine.sessions.session("")
    made_up = engine.drafts._from_template(session, method, f"{BASES[0]}users/1", **arguments)
    assert made_up is not None


def test_a_template_is_not_changed_by_what_is_made_of_it() -> None:
    engine = handler["set0"].rooms.engine
    session = engine.sessions.session("")
    first, options = engine.drafts.prepare(session, "GET", f"{BASES[0]}x", {}, None, "")[:3:2]
    before = shown(first, options)
    first.headers["X-Set"] = "changed"
    first.headers["Authorization"] = "Bearer x"
    first.hooks["response"].append(print)
    second, again = engine.drafts.prepare(session, "GET", f"{BASES[0]}x", {}, None, "")[:3:2]
    assert shown(second, again) == before
