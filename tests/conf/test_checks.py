"""System checks: everything that is wrong, at once, with a place and a remedy."""

from collections.abc import Callable
from io import StringIO
from math import inf, nan
from types import MappingProxyType
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from django.core.management import CommandError, call_command
from pytest_django import Settings

from apiclient_app import InvalidConfiguration, clients
from apiclient_app.conf.problems import TITLES, at
from tests.conftest import Configure

HTTP = "http://api.example/"
NO_BACKEND = "django.conf.Settings"
GOOD = {"BASE_URL": "https://api.example/"}
OAUTH = {"token_url": "https://api.example/token", "client_id": "app", "client_secret": "hunter2"}

API_KEY = {"AUTH": {"BACKEND": "apiclient_app.auth.ApiKey", "OPTIONS": {"key": "hunter2"}}}


def oauth(**options: Any) -> dict[str, Any]:
    """Give an AUTH; an option of None is left out."""
    given = {name: value for name, value in {**OAUTH, **options}.items() if value is not None}
    return {"AUTH": {"BACKEND": "apiclient_app.auth.ClientCredentials", "OPTIONS": given}}


def found(**options: Any) -> list[CheckMessage]:
    return [m for m in run_checks(**options) if (m.id or "").startswith("apiclient_app.")]


# Each: a client's one mistake, the id, the place (dotted), and a piece of the hint.
ERRORS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "unknown key": ({"BASEURL": 1}, "E002", "BASEURL", "BASE_URL, AUTH"),
    "retry key": ({"RETRY": {"tries": 3}}, "E004", "RETRY", "Use attempts"),
    "no attempt": ({"RETRY": 0}, "E004", "RETRY", "Give 3"),
    "backoff": ({"RETRY": {"backoff": -1}}, "E004", "RETRY.backoff", "zero or more"),
    "statuses": ({"RETRY": {"statuses": ["503"]}}, "E004", "RETRY.statuses", "Give [429, 503]"),
    "key header": (
        {"RETRY": {"idempotency_key": "a b"}},
        "E004",
        "RETRY.idempotency_key",
        "a header",
    ),
    "key header of another": (
        {"RETRY": {"idempotency_key": "content-Length"}},
        "E004",
        "RETRY.idempotency_key",
        "a header's name",
    ),
    "key header in HEADERS": (
        {"RETRY": {"idempotency_key": True}, "HEADERS": {"idempotency-key": "7"}},
        "E004",
        "RETRY.idempotency_key",
        "the same key",
    ),
    "key header of AUTH": (
        {"RETRY": {"idempotency_key": "x-api-key"}, **API_KEY},
        "E004",
        "RETRY.idempotency_key",
        "another name",
    ),
    "retried method": ({"RETRY": {"methods": ["G T"]}}, "E004", "RETRY.methods", '["GET", "PUT"]'),
    "no status": ({"RETRY": {"statuses": [99]}}, "E004", "RETRY.statuses", "Give [429, 503]"),
    "rate": ({"RATE_LIMIT": "fast"}, "E004", "RATE_LIMIT", 'Give "100/minute"'),
    "no rate": ({"RATE_LIMIT": []}, "E004", "RATE_LIMIT", 'Give "100/minute"'),
    "rate unit": ({"RATE_LIMIT": "5/fortnight"}, "E004", "RATE_LIMIT", 'Give "100/minute"'),
    "whose rate": (
        {"RATE_LIMIT": {"limits": "5/s", "per": "host"}},
        "E004",
        "RATE_LIMIT.per",
        "subject",
    ),
    "rate beside learn": (
        {"RATE_LIMIT": ["learn", "10/s"]},
        "E004",
        "RATE_LIMIT",
        "what the API says counts too",
    ),
    "in flight": ({"MAX_IN_FLIGHT": 0}, "E004", "MAX_IN_FLIGHT", "Give more than zero."),
    "deadline": ({"DEADLINE": -1}, "E004", "DEADLINE", "Give more than zero."),
    "breaker key": ({"BREAKER": {"errors": 3}}, "E004", "BREAKER", "Use failures"),
    "breaker share": ({"BREAKER": {"share": 2}}, "E004", "BREAKER.share", "Give a share"),
    "response limit": ({"RESPONSE_LIMIT": "1GB"}, "E004", "RESPONSE_LIMIT", "Give a whole number"),
    "URL type": ({"BASE_URL": 1}, "E004", "BASE_URL", "Give a text."),
    "URL scheme": ({"BASE_URL": "ftp://x/"}, "E004", "BASE_URL", "https://host/path/"),
    "URL host": ({"BASE_URL": "https:///x"}, "E004", "BASE_URL", "https://host/path/"),
    "URL space": ({"BASE_URL": "https://a b/"}, "E004", "BASE_URL", "https://host/path/"),
    "URL bracket": ({"BASE_URL": "https://[::/"}, "E004", "BASE_URL", "https://host/path/"),
    "URL port": ({"BASE_URL": "https://a:99999/"}, "E004", "BASE_URL", "https://host/path/"),
    "URL user": ({"BASE_URL": "https://u:p@a/"}, "E004", "BASE_URL", "belong into AUTH"),
    "URL query": ({"BASE_URL": "https://a/?k=1"}, "E004", "BASE_URL", "belong into AUTH"),
    "AUTH type": ({"AUTH": "x"}, "E004", "AUTH", "Give a dict."),
    "AUTH keys": ({"AUTH": {"BACKEND": "x", "X": 1}}, "E004", "AUTH", "dotted.path"),
    "HEADERS": ({"HEADERS": ["X"]}, "E004", "HEADERS", "Give a dict"),
    "HEADERS number": ({"HEADERS": {"X": 1, "Y": "z"}}, "E004", "HEADERS.X", "Give a text."),
    "VERIFY": ({"VERIFY": None}, "E004", "VERIFY", "True or False or a text"),
    "CERT three": ({"CERT": ("a", "b", "c")}, "E004", "CERT", "certificate and key"),
    "TIMEOUT type": ({"TIMEOUT": "3"}, "E004", "TIMEOUT", "a number or a list"),
    "TIMEOUT zero": ({"TIMEOUT": 0}, "E004", "TIMEOUT", "(connect, read)"),
    "TIMEOUT three": ({"TIMEOUT": (1, 2, 3)}, "E004", "TIMEOUT", "(connect, read)"),
    "TIMEOUT nan": ({"TIMEOUT": nan}, "E004", "TIMEOUT", "above zero"),
    "TIMEOUT inf": ({"TIMEOUT": (1, inf)}, "E004", "TIMEOUT", "at most 2_000_000"),
    "TOKEN_TIMEOUT": ({"TOKEN_TIMEOUT": -1}, "E004", "TOKEN_TIMEOUT", "more than zero"),
    "POOL_SIZE": ({"POOL_SIZE": 0}, "E004", "POOL_SIZE", "more than zero"),
    "POOL_SIZE type": ({"POOL_SIZE": 1.5}, "E004", "POOL_SIZE", "a whole number"),
    "MEMORY_SECONDS": ({"MEMORY_SECONDS": nan}, "E004", "MEMORY_SECONDS", "more than zero"),
    "ENGINE": ({"ENGINE": "aiohttp"}, "E004", "ENGINE", "one of 'requests', 'curl'"),
    "RAISE": ({"RAISE_FOR_STATUS": 1}, "E004", "RAISE_FOR_STATUS", "True or False"),
    "SESSION": ({"SESSION": "no.such"}, "E004", "SESSION", "Give a dotted path."),
    "SESSION kind": ({"SESSION": "django.VERSION"}, "E004", "SESSION", "a callable"),
    "PROXIES": ({"PROXIES": {"https": "http://[x"}}, "E004", "PROXIES.https", "host:port"),
    "PROXIES host": ({"PROXIES": {"https": "http://"}}, "E004", "PROXIES.https", "host:port"),
    "VERIFY empty": ({"VERIFY": ""}, "E004", "VERIFY", "True, or the path of a CA bundle"),
    "VERIFY blank": ({"VERIFY": " "}, "E004", "VERIFY", "True, or the path of a CA bundle"),
    "VERIFY none": ({"VERIFY": None}, "E004", "VERIFY", "True or False"),
    "VERIFY number": ({"VERIFY": 0}, "E004", "VERIFY", "True or False"),
    "HEADERS name": ({"HEADERS": {"X A": "b"}}, "E004", "HEADERS.X A", "control characters"),
    "HEADERS value": ({"HEADERS": {"X-A": "b\n"}}, "E004", "HEADERS.X-A", "control characters"),
    "HEADERS euro": ({"HEADERS": {"X-A": "\u20ac"}}, "E004", "HEADERS.X-A", "Latin-1"),
    "HEADERS length": ({"HEADERS": {"content-length": "5"}}, "E004", "HEADERS.content-length", ""),
    "HEADERS coding": (
        {"HEADERS": {"Transfer-Encoding": "chunked"}},
        "E004",
        "HEADERS.Transfer-Encoding",
        "Remove it",
    ),
    "EXPIRED type": ({"EXPIRED": 401}, "E004", "EXPIRED", "a dict or a list"),
    "EXPIRED key": ({"EXPIRED": {"code": 1}}, "E004", "EXPIRED", "status, body, header"),
    "EXPIRED status": ({"EXPIRED": {"status": 401}}, "E004", "EXPIRED.status", "[401]"),
    "EXPIRED body": ({"EXPIRED": {"body": {"a": 1}}}, "E004", "EXPIRED.body", "values"),
    "EXPIRED header": ({"EXPIRED": [{"header": {"X": [7]}}]}, "E004", "EXPIRED.header", "text"),
    "EXPIRED path": ({"EXPIRED": "no.such"}, "E004", "EXPIRED", "Give a dotted path."),
    "EXPIRED kind": ({"EXPIRED": "django.VERSION"}, "E004", "EXPIRED", "a callable"),
    "CHECK": ({"CHECK": "ping"}, "E004", "CHECK", "'GET users'"),
    "CHECK method": ({"CHECK": "FETCH x"}, "E004", "CHECK", "'GET users'"),
    "CHECK elsewhere": ({"CHECK": "GET http://evil/"}, "E004", "CHECK", "Give a path"),
    "CHECK above": ({"CHECK": "GET a/../../x"}, "E004", "CHECK", "Give a path"),
    "ENDPOINTS elsewhere": ({"ENDPOINTS": {"a": "GET //evil/{n}"}}, "E004", "ENDPOINTS.a", "path"),
    "ENDPOINTS above": ({"ENDPOINTS": {"a": "GET {n}/../../x"}}, "E004", "ENDPOINTS.a", "path"),
    "ENDPOINTS": ({"ENDPOINTS": {"a": "users"}}, "E004", "ENDPOINTS.a", "'GET users'"),
    "ENDPOINTS brace": ({"ENDPOINTS": {"a": "GET {name"}}, "E004", "ENDPOINTS.a", "{name}"),
    "ENDPOINTS unnamed": ({"ENDPOINTS": {"a": "GET x/{}"}}, "E004", "ENDPOINTS.a", "{name}"),
    "no BACKEND": ({"AUTH": {}}, "E005", "AUTH.BACKEND", "Subclass"),
    "BACKEND path": ({"AUTH": {"BACKEND": "no.such"}}, "E005", "AUTH.BACKEND", "dotted path"),
    "BACKEND kind": ({"AUTH": {"BACKEND": NO_BACKEND}}, "E005", "AUTH.BACKEND", "Subclass"),
    "unknown option": (oauth(scopes="x"), "E006", "AUTH.OPTIONS.scopes", "Known options"),
    "missing option": (oauth(client_id=None), "E007", "AUTH.OPTIONS.client_id", "Add"),
    "wrong option": (oauth(scope=["x"]), "E008", "AUTH.OPTIONS.scope", "Give a text."),
    "plain http": ({"BASE_URL": HTTP, **oauth()}, "E009", "BASE_URL", "ALLOW_HTTP"),
    "plain token": (oauth(token_url=HTTP), "E009", "AUTH.OPTIONS.token_url", "ALLOW_HTTP"),
    "unknown CACHE": ({"CACHE": "nowhere"}, "E010", "CACHE", "add it to CACHES"),
}


@pytest.mark.parametrize(("mistake", "code", "key", "hint"), ERRORS.values(), ids=ERRORS)
def test_a_mistake_is_named_with_its_place_and_remedy(
    api_clients: Configure, mistake: dict[str, Any], code: str, key: str, hint: str
) -> None:
    api_clients(shop={**GOOD, **mistake})
    (message,) = found()
    assert message.id == f"apiclient_app.{code}"
    assert f"API_CLIENTS['shop']{at(*key.split('.'))}" in message.msg
    assert hint in str(message.hint)
    with pytest.raises(InvalidConfiguration) as caught:
        clients["shop"]
    assert f"API_CLIENTS['shop']{at(*key.split('.'))}" in str(caught.value)


# Each: what is too large of a key, and the largest that is taken.
BOUNDS: dict[str, tuple[Callable[[Any], dict[str, Any]], int]] = {
    "TIMEOUT": (lambda n: {"TIMEOUT": n}, 2_000_000),
    "TIMEOUT of a part": (lambda n: {"TIMEOUT": (None, n)}, 2_000_000),
    "TOKEN_TIMEOUT": (lambda n: {"TOKEN_TIMEOUT": n}, 2_000_000),
    "DEADLINE": (lambda n: {"DEADLINE": n}, 2_000_000),
    "MEMORY_SECONDS": (lambda n: {"MEMORY_SECONDS": n}, 100_000_000),
    "POOL_SIZE": (lambda n: {"POOL_SIZE": n}, 1_000_000),
    "CONCURRENCY": (lambda n: {"CONCURRENCY": n}, 1_000_000),
    "MAX_IN_FLIGHT": (lambda n: {"MAX_IN_FLIGHT": n}, 1_000_000),
    "RESPONSE_LIMIT": (lambda n: {"RESPONSE_LIMIT": n}, 2**63 - 1),
    "RETRY.backoff": (lambda n: {"RETRY": {"backoff": n}}, 100_000_000),
    "RETRY.longest": (lambda n: {"RETRY": {"longest": n}}, 100_000_000),
    "RETRY.budget": (lambda n: {"RETRY": {"budget": n}}, 1_000_000),
    "BREAKER.failures": (lambda n: {"BREAKER": {"failures": n}}, 1_000_000),
    "BREAKER.window": (lambda n: {"BREAKER": {"window": n}}, 100_000_000),
    "BREAKER.pause": (lambda n: {"BREAKER": {"pause": n}}, 100_000_000),
}


@pytest.mark.parametrize(("given", "most"), BOUNDS.values(), ids=BOUNDS)
def test_a_number_that_is_too_large_is_told_how_large_it_may_be(
    api_clients: Configure,
    request: pytest.FixtureRequest,
    given: Callable[[Any], dict[str, Any]],
    most: int,
) -> None:
    key = request.node.callspec.id.split(" ")[0]
    api_clients(shop={**GOOD, **given(most)})
    assert found() == []
    for number in (most + 1, 10**400):
        api_clients(shop={**GOOD, **given(number)})
        (message,) = found()
        assert f"['shop']{at(*key.split('.'))} is more than {most:_}." in message.msg
        assert f"Give at most {most:_}" in str(message.hint)


def test_a_rate_of_more_than_three_years_is_refused(api_clients: Configure) -> None:
    api_clients(shop={**GOOD, "RATE_LIMIT": "1/99999 days"})
    (message,) = found()
    assert message.msg == "API_CLIENTS['shop']['RATE_LIMIT'] is of more than three years."


def test_a_wrong_part_is_told_from_a_wrong_type(api_clients: Configure) -> None:
    api_clients(
        shop={**GOOD, "HEADERS": {"A": 5, 6: "b", "C": "d"}, "ENGINE": "Curl"},
        bank={**GOOD, "ENGINE": 3, "BREAKER": MappingProxyType({})},
    )
    assert [message.msg.replace("API_CLIENTS", "") for message in found()] == [
        "['shop']['HEADERS']['A'] is not a text.",
        "['shop']['HEADERS'][6] has a name that is not a text.",
        "['shop']['ENGINE'] is neither 'requests' nor 'curl'.",
        "['bank']['ENGINE'] has the wrong type.",
        "['bank']['BREAKER'] has the wrong type.",
    ]


def test_what_is_missing_is_named(api_clients: Configure) -> None:
    api_clients(shop={})
    (message,) = found()
    assert message.msg == "API_CLIENTS['shop']['BASE_URL'] is missing."
    assert (message.id, message.hint) == ("apiclient_app.E003", "Add 'BASE_URL'.")


@pytest.mark.parametrize("source", [[], None, "https://api.example/"], ids=repr)
def test_a_client_that_is_no_dict_is_said_so(settings: Settings, source: Any) -> None:
    settings.API_CLIENTS = {"shop": source}
    (message,) = found()
    assert message.id == "apiclient_app.E001"
    assert "BASE_URL at least" in str(message.hint)
    with pytest.raises(InvalidConfiguration, match="is not a dict"):
        clients["shop"]


def test_every_error_id_is_told_here() -> None:
    assert {code for _, code, _, _ in ERRORS.values()} | {"E001", "E003"} == set(TITLES)


@pytest.mark.parametrize("value", [[], None, "shop", 7])
def test_a_setting_that_is_no_dict_is_said_so(settings: Settings, value: Any) -> None:
    settings.API_CLIENTS = value
    (message,) = found()
    assert (message.id, message.hint) == ("apiclient_app.E001", "Give a dict.")
    with pytest.raises(InvalidConfiguration, match="must be a dict"):
        clients["shop"]
    with pytest.raises(InvalidConfiguration):
        list(clients)


def test_an_alias_that_is_no_text_is_said_so(settings: Settings) -> None:
    settings.API_CLIENTS = {7: GOOD, "": GOOD}
    assert [m.id for m in found()] == ["apiclient_app.E001"] * 2


def test_all_mistakes_of_all_clients_are_told_at_once(api_clients: Configure) -> None:
    auth = {
        "BACKEND": "apiclient_app.auth.ClientCredentials",
        "OPTIONS": {"scopes": "x", "scope": 1},
    }
    api_clients(
        one={"AUTH": auth, "TIMEOUT": "3", "CACHE": "nowhere", "COLOUR": "blue"},
        two={"BASE_URL": "nonsense"},
        three=GOOD,
        four={**GOOD, "ENDPOINTS": {"a": "users", "b": "GET {", "c": "GET users"}},
    )
    told = sorted((m.id or "").removeprefix("apiclient_app.") for m in found())
    assert told == ["E002", "E003", *["E004"] * 4, "E006", *["E007"] * 3, "E008", "E010"]
    with pytest.raises(InvalidConfiguration) as caught:
        clients["one"]
    for key in ("BASE_URL", "TIMEOUT", "CACHE", "COLOUR", "scopes", "client_secret"):
        assert repr(key) in str(caught.value)
    assert clients["three"].alias == "three"


def test_no_message_shows_a_value(api_clients: Configure) -> None:
    key = {"BACKEND": "apiclient_app.auth.ApiKey", "OPTIONS": {"key": "hunter2\n"}}
    api_clients(
        one={**GOOD, **oauth(client_id=["hunter2"], client_secret=["hunter2"])},
        two={**GOOD, "AUTH": key},
        three={"BASE_URL": "https://joe:hunter2@api.example/"},
        four={**GOOD, "HEADERS": {"X-Api-Key": ["hunter2"]}},
    )
    assert len(found()) == 5
    assert "hunter2" not in repr(found())
    for alias in clients:
        with pytest.raises(InvalidConfiguration) as caught:
            clients[alias]
        assert "hunter2" not in str(caught.value)


def test_manage_py_check_fails_and_prints_the_hint(api_clients: Configure) -> None:
    api_clients(shop={})
    with pytest.raises(CommandError, match=r"apiclient_app\.E003"):
        call_command("check", stderr=StringIO())


GOOD_ONES: dict[str, dict[str, Any]] = {
    "plain": GOOD,
    "oauth": {**GOOD, **oauth()},
    "relative token_url": {**GOOD, **oauth(token_url="/token")},
    "loopback": {"BASE_URL": "http://127.0.0.1:8000/", **oauth(token_url="/token")},
    "localhost": {"BASE_URL": "http://api.localhost/", **oauth(token_url="/token")},
    "ipv6": {"BASE_URL": "http://[::1]:8000/", **oauth(token_url="/token")},
    "http without credentials": {"BASE_URL": HTTP},
    "http allowed": {"BASE_URL": HTTP, **oauth(), "ALLOW_HTTP": True},
    "everything": {
        **GOOD,
        **oauth(scope="a", extra={"x": "y"}),
        "CACHE": "locmem",
        "HEADERS": {"User-Agent": "shop/1.0", "Host": "b.example", "X-Name": "\xe9"},
        "PROXIES": {"https": "http://u:p@proxy.example:3128", "http": "", "no_proxy": "a,b"},
        "VERIFY": "/etc/ssl/ca.pem",
        "CERT": ["cert.pem", "key.pem"],
        "TIMEOUT": [3, None],
        "POOL_SIZE": 50,
        "SESSION": "requests.Session",
        "ENGINE": "requests",
        "CONCURRENCY": 10,
        "EXPIRED": [{"status": [401]}, {"status": [200], "body": {"error.code": [190, None]}}],
        "RAISE_FOR_STATUS": False,
        "TOKEN_TIMEOUT": 5,
        "CHECK": "GET https://api.example/ping?a=b",
        "ALLOW_HTTP": False,
        "ENDPOINTS": {"user": "get users/{name}/../{{literally}}"},
        "MEMORY_SECONDS": 1,
        "RETRY": {
            "attempts": 5,
            "statuses": [429, 503],
            "methods": ["get", "POST"],
            "backoff": 0.1,
            "longest": 60,
            "budget": 0,
            "idempotency_key": "X-Key",
        },
        "RATE_LIMIT": {"limits": ["10/second", "900/15 minutes"], "per": "subject"},
        "MAX_IN_FLIGHT": 10,
        "DEADLINE": 20,
        "BREAKER": {"failures": 5, "share": 1, "window": 10, "pause": 1},
        "RESPONSE_LIMIT": None,
    },
    "guarded": {
        **GOOD,
        "RETRY": 3,
        "RATE_LIMIT": "100/minute",
        "DEADLINE": 0.5,
        "BREAKER": True,
        "RESPONSE_LIMIT": 1000,
    },
    "learning": {**GOOD, "RATE_LIMIT": "learn", "BREAKER": False},
    "tuples": {**GOOD, "RATE_LIMIT": ("10/s", "100/min"), "TIMEOUT": (1, 2)},
    "nothing on": {
        **GOOD,
        **dict.fromkeys(["RETRY", "RATE_LIMIT", "MAX_IN_FLIGHT", "DEADLINE", "BREAKER"]),
    },
}


@pytest.mark.parametrize("source", GOOD_ONES.values(), ids=GOOD_ONES)
def test_what_is_right_is_left_in_peace(api_clients: Configure, source: dict[str, Any]) -> None:
    api_clients(shop=source)
    assert [m for m in found() if m.level >= 40] == []
    assert clients["shop"].alias == "shop"


@pytest.mark.parametrize(("cache", "warned"), [("locmem", True), ("default", False)])
def test_a_limit_that_is_not_shared_is_warned_of(
    api_clients: Configure, cache: str, warned: bool
) -> None:
    limited = {"RATE_LIMIT": "5/second", "MAX_IN_FLIGHT": 3, "CACHE": cache}
    api_clients(shop={**GOOD, **limited}, free={**GOOD, "CACHE": cache})
    told = [message.msg for message in found() if message.id == "apiclient_app.W013"]
    keys = ["RATE_LIMIT", "MAX_IN_FLIGHT"] if warned else []
    assert [text.partition(" is kept")[0] for text in told] == [
        f"API_CLIENTS['shop']['{key}']" for key in keys
    ]
