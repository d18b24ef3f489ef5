"""How APIs say that a token has expired: each costs one renewal, and its look-alike costs none.

Each case is one provider's way, run through a client against a provider that answers so.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest
import requests

from apiclient_app import clients
from apiclient_app.conf.reading import read_expired
from apiclient_app.conf.unusable import Unusable
from tests.conftest import Configure
from tests.servers import Handle, Reply

HERE = "tests.auth.test_expiry_styles"


def session_page(response: requests.Response) -> bool:
    """A page for people, where the text is all there is."""
    return response.status_code == 403 and "session has expired" in response.text


def sent_to_sign_in(response: requests.Response) -> bool:
    """The redirect was followed; the answer itself is an innocent 200."""
    return any("/signin" in r.headers["Location"] for r in response.history)


@dataclass(frozen=True)
class Style:
    """What the API answers when the token has expired, and when something alike is wrong."""

    rule: Any
    expired: Reply
    other: Reply
    arguments: Mapping[str, Any] = field(default_factory=dict)


def told(status: int, document: Any = None, **headers: str) -> Reply:
    return Reply.of(document, status, **{n.replace("_", "-"): v for n, v in headers.items()})


def challenge(status: int, value: str) -> Reply:
    return told(status, WWW_Authenticate=value)


def sent_to(location: str) -> Reply:
    return Reply(302, headers={"Location": location})


UNFOLLOWED = {"allow_redirects": False}
STYLES: dict[str, Style] = {
    "401, as HTTP has it": Style({"status": [401]}, told(401), told(403)),
    "403 (Google Ads scripts, S3 presigned)": Style({"status": [403]}, told(403), told(404)),
    "419 (Laravel)": Style({"status": [401, 419]}, told(419), told(422)),
    "440 (IIS)": Style({"status": [401, 440]}, told(440), told(400)),
    "498 (ArcGIS)": Style({"status": [498]}, told(498), told(499)),
    "200 with a numeric code (Facebook 190)": Style(
        {"status": [200], "body": {"error.code": [190]}},
        told(200, {"error": {"code": 190, "type": "OAuthException"}}),
        told(200, {"error": {"code": 4, "type": "OAuthException"}}),
    ),
    "200 with several codes (WeChat)": Style(
        {"status": [200], "body": {"errcode": [40001, 42001]}},
        told(200, {"errcode": 42001, "errmsg": "access_token expired"}),
        told(200, {"errcode": 45009, "errmsg": "reach max api daily quota limit"}),
    ),
    "400 with a nested code": Style(
        {"status": [200, 400, 401, 403], "body": {"error.code": ["TOKEN_EXPIRED"]}},
        told(400, {"error": {"code": "TOKEN_EXPIRED"}}),
        told(400, {"error": {"code": "TOKEN_MISSING"}}),
    ),
    "401 with a text that tells it from a bad key (Apigee)": Style(
        {"status": [401], "body": {"fault.faultstring": ["Access Token expired"]}},
        told(401, {"fault": {"faultstring": "Access Token expired"}}),
        told(401, {"fault": {"faultstring": "Invalid ApiKey"}}),
    ),
    "401 with a list of errors (Salesforce)": Style(
        {"status": [401], "body": {"0.errorCode": ["INVALID_SESSION_ID"]}},
        told(401, [{"errorCode": "INVALID_SESSION_ID"}]),
        told(401, [{"errorCode": "INVALID_LOGIN"}, {"errorCode": "INVALID_SESSION_ID"}]),
    ),
    "200 of GraphQL": Style(
        {"status": [200], "body": {"errors.0.extensions.code": ["UNAUTHENTICATED"]}},
        told(200, {"data": None, "errors": [{"extensions": {"code": "UNAUTHENTICATED"}}]}),
        told(200, {"data": None, "errors": [{"extensions": {"code": "BAD_USER_INPUT"}}]}),
    ),
    "200 with a null where the user was": Style(
        {"status": [200], "body": {"user": [None]}},
        told(200, {"user": None}),
        told(200, {"users": []}),
    ),
    "200 that is not authenticated": Style(
        {"status": [200], "body": {"ok": [False], "error": ["token_expired", "not_authed"]}},
        told(200, {"ok": False, "error": "token_expired"}),
        told(200, {"ok": False, "error": "channel_not_found"}),
    ),
    "500 that means the session": Style(
        {"status": [500], "body": {"message": ["Session expired"]}},
        told(500, {"message": "Session expired"}),
        told(500, {"message": "Null pointer"}),
    ),
    "401 invalid_token (RFC 6750)": Style(
        {"error": ["invalid_token"]},
        challenge(401, 'Bearer realm="api", error="invalid_token", error_description="expired"'),
        challenge(401, 'Bearer realm="api", error="insufficient_scope", scope="invalid_token"'),
    ),
    "403 invalid_token, among other challenges": Style(
        {"status": [401, 403], "error": ["invalid_token", "token_expired"]},
        challenge(403, 'Basic realm="a, b", bearer ERROR=token_expired'),
        challenge(403, r'Basic realm="Bearer error=\"invalid_token\"", Bearer realm="x"'),
    ),
    "a header of its own": Style(
        {"status": [401, 403], "header": {"X-Token-Status": ["expired"]}},
        told(403, X_Token_Status="Expired"),
        told(403, X_Token_Status="active"),
    ),
    "status, header and body together": Style(
        {"status": [400], "header": {"X-Reason": ["auth"]}, "body": {"code": ["17"]}},
        told(400, {"code": "17"}, X_Reason="auth"),
        told(400, {"code": "17"}, X_Reason="input"),
    ),
    "one of several rules": Style(
        [{"error": ["invalid_token"]}, {"status": [200], "body": {"code": [401]}}],
        told(200, {"code": 401}),
        told(401, {"code": 401}),
    ),
    "a page for people": Style(
        f"{HERE}.session_page",
        Reply(403, "<html><p>Your session has expired.</p></html>"),
        Reply(403, "<html><p>Your quota has expired.</p></html>"),
    ),
    "a redirect to the login page": Style(
        {"status": [302], "header": {"Location": ["/signin"]}},
        sent_to("/signin?next=/api/echo"),
        sent_to("/api/echo?moved=1"),
        UNFOLLOWED,
    ),
    "a redirect to the login page that was followed": Style(
        f"{HERE}.sent_to_sign_in",
        sent_to("/signin?next=/api/echo"),
        sent_to("/elsewhere"),
    ),
}


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_an_expiry_costs_one_renewal_and_what_is_like_it_none(
    api: Handle, api_clients: Configure, style: Style
) -> None:
    api.set(refusal=asdict(style.expired))
    for page in ("/signin", "/elsewhere"):
        api.always(page, Reply(200, "<html>a page for people</html>"))
    api_clients(api=api.config(EXPIRED=style.rule))
    client = clients["api"]
    assert client.get("echo", **style.arguments).json()["method"] == "GET"

    api.expire_all()
    assert client.get("echo", **style.arguments).json()["method"] == "GET"
    assert len(api.token_requests) == 2
    assert [r["path"] for r in api.requests].count("/api/echo") == 3  # the refusal in between

    api.script("/api/echo", style.other)
    client.get("echo", raise_for_status=False, **style.arguments)
    assert len(api.token_requests) == 2


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_a_call_that_cannot_be_mended_is_not_repeated_for_ever(
    api: Handle, api_clients: Configure, style: Style
) -> None:
    api.always("/api/echo", style.expired)
    api.always("/signin", Reply(200, "<html>a page for people</html>"))
    api_clients(api=api.config(EXPIRED=style.rule))
    for _ in range(3):
        clients["api"].get("echo", raise_for_status=False, **style.arguments)
    assert len(api.token_requests) == 2


@pytest.mark.parametrize(
    "codes", ["invalid_token", [], [401], {"invalid_token": 1}, None], ids=repr
)
def test_error_codes_are_a_list_of_texts(codes: Any) -> None:
    with pytest.raises(Unusable) as caught:
        read_expired({"error": codes})
    ((code, key, text, remedy),) = caught.value.complaints
    assert (code, key) == ("E004", "['error']")
    assert (text, remedy) == ("is not a list of error codes.", 'Give ["invalid_token"].')


def test_an_unknown_key_of_a_rule_is_told_which_there_are() -> None:
    with pytest.raises(Unusable) as caught:
        read_expired([{"errors": ["invalid_token"]}])
    assert caught.value.complaints[0][3] == "Use status, body, header, error."
