"""What means that a token has expired, is said by rules."""

import json
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from apiclient_app.expiry import MISSING, AnyRule, ExpiryRule, at_path, bearer_errors


def answer(status: int, body: object = None, **headers: str) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response._content = json.dumps(body).encode() if body is not None else b""
    response._content_consumed = True
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return response


def test_by_default_a_401_means_expired_and_nothing_else() -> None:
    expired = ExpiryRule()
    assert expired(answer(401))
    assert not any(expired(answer(status)) for status in (200, 302, 400, 403, 404, 500))


@pytest.mark.parametrize(
    ("response", "expired"),
    [
        (answer(403, {"error": {"code": "token_expired"}}), True),
        (answer(200, {"error": {"code": 190}}), True),
        (answer(403, {"error": {"code": "forbidden"}}), False),
        (answer(403, {"error": "token_expired"}), False),
        (answer(403, {"error": {}}), False),
        (answer(403, ["token_expired"]), False),
        (answer(403), False),
        (answer(401, {"error": {"code": "token_expired"}}), False),
    ],
)
def test_a_body_rule_wants_status_and_body(response: requests.Response, expired: bool) -> None:
    rule = ExpiryRule(frozenset({200, 403}), body={"error.code": ("token_expired", 190)})
    assert rule(response) is expired


def test_a_body_that_is_not_json_does_not_match() -> None:
    page = answer(403)
    page._content = b"<html>\xff</html>"
    assert not ExpiryRule(frozenset({403}), body={"error": ("x",)})(page)


def test_a_body_that_is_nested_without_end_does_not_match() -> None:
    deep = answer(403)
    deep._content = b"[" * 200_000
    assert not ExpiryRule(frozenset({403}), body={"error": ("x",)})(deep)


def test_none_in_a_body_rule_wants_a_null_that_is_there() -> None:
    rule = ExpiryRule(frozenset({200}), body={"user": (None,)})
    assert rule(answer(200, {"user": None}))
    assert not rule(answer(200, {"name": "x"}))
    assert not rule(answer(200, {"user": False}))


def test_a_header_rule_looks_for_text_in_any_case() -> None:
    rule = ExpiryRule(frozenset({401}), header={"WWW-Authenticate": ("invalid_token",)})
    assert rule(answer(401, WWW_Authenticate='Bearer error="Invalid_Token"'))
    assert not rule(answer(401, WWW_Authenticate='Bearer error="insufficient_scope"'))
    assert not rule(answer(401))


@pytest.mark.parametrize(
    ("challenges", "errors"),
    [
        ('Bearer error="invalid_token"', ["invalid_token"]),
        ('Bearer realm="a, b", error="invalid_token", error_description="x"', ["invalid_token"]),
        ('Bearer realm="", error="invalid_token"', ["invalid_token"]),
        ("Bearer error=invalid_token", ["invalid_token"]),
        ("Bearer error='invalid_token'", ["invalid_token"]),
        ('bearer ERROR = "Invalid_Token"', ["invalid_token"]),
        (r'Bearer realm="a\"b", error="inva\lid_token"', ["invalid_token"]),
        ('Basic realm="x", Bearer error="invalid_token"', ["invalid_token"]),
        ('Bearer error="invalid_token", Basic realm="x"', ["invalid_token"]),
        ('Bearer realm="a",error="one", Bearer realm="b",error="two"', ["one", "two"]),
        ('Negotiate abc==, Bearer error="invalid_token"', ["invalid_token"]),
        (r'Basic realm="Bearer error=\"invalid_token\""', []),
        ('Basic realm="x, Bearer error=invalid_token"', []),
        ('Bearer, Digest error="invalid_token"', []),
        ('DPoP error="invalid_token"', []),
        ('error="invalid_token"', []),
        ('Bearer x_error="invalid_token", error_uri="invalid_token"', []),
        ("Bearer error", []),
        ("Bearer", []),
        ("", []),
    ],
)
def test_the_error_of_a_bearer_challenge_is_read(challenges: str, errors: list[str]) -> None:
    assert list(bearer_errors(challenges)) == errors
    expired = ExpiryRule(error=("INVALID_TOKEN",))(answer(401, WWW_Authenticate=challenges))
    assert expired is ("invalid_token" in errors)


def test_an_error_rule_wants_a_challenge_and_its_status() -> None:
    rule = ExpiryRule(error=("invalid_token",))
    assert not rule(answer(401))
    assert not rule(answer(403, WWW_Authenticate='Bearer error="invalid_token"'))


@given(st.text(alphabet='Bearer="\\, invld_tok', max_size=60) | st.text(max_size=60))
def test_no_challenge_breaks_the_reading(challenges: str) -> None:
    assert all(code == code.lower() for code in bearer_errors(challenges))


def test_status_body_and_header_must_all_match() -> None:
    rule = ExpiryRule(frozenset({400}), {"a": (1,), "b": (2,)}, {"X-Why": ("expired",)})
    assert rule(answer(400, {"a": 1, "b": 2}, X_Why="expired"))
    assert not rule(answer(400, {"a": 1, "b": 3}, X_Why="expired"))
    assert not rule(answer(400, {"a": 1, "b": 2}))
    assert not rule(answer(401, {"a": 1, "b": 2}, X_Why="expired"))


def test_any_rule_of_a_list_is_enough() -> None:
    rule = AnyRule((ExpiryRule(), ExpiryRule(frozenset({440}))))
    assert rule(answer(440))
    assert rule(answer(401))
    assert not rule(answer(403))


class Unread:
    """A streamed response, as far as a rule may look at one."""

    _content_consumed = False
    headers: dict[str, str] = {}

    def __init__(self, status_code: int) -> None:
        self.status_code = status_code
        self.was_read = False

    def json(self) -> Any:
        self.was_read = True
        return {"error": "token_expired"}


def test_a_streamed_success_is_not_read_and_a_streamed_refusal_is() -> None:
    rule = ExpiryRule(frozenset({200, 403}), body={"error": ("token_expired",)})
    success, refusal = Unread(200), Unread(403)
    assert not rule(success)
    assert not success.was_read
    assert rule(refusal)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a", {"b": [10, {"c": None}]}),
        ("a.b.0", 10),
        ("a.b.1.c", None),
        ("a.b.2", MISSING),
        ("a.b.-1", MISSING),
        ("a.b.x", MISSING),
        ("a.b.1.c.d", MISSING),
        ("x", MISSING),
        ("", MISSING),
    ],
)
def test_a_dotted_path_walks_objects_and_lists(path: str, found: object) -> None:
    document = {"a": {"b": [10, {"c": None}]}}
    assert at_path(document, path) == found


@given(st.text(max_size=20), st.lists(st.integers(), max_size=3))
def test_no_path_breaks_the_walk(path: str, items: list[int]) -> None:
    at_path({"": items, "a": items}, path)
    at_path(items, path)
