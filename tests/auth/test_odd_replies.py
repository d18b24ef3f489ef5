"""Odd token replies: what each grants, or which error it is, and that nothing of it is shown."""

from dataclasses import replace
from typing import Any

import pytest

from apiclient_app.auth import Grant, Login, RefreshToken, Reply, Secret
from apiclient_app.exceptions import TokenError, TokenRefused, TokenUnavailable

from .odd import CASES, SECRET, Case, Granted, Outcome, Refused, Unavailable, Unsendable

OAUTH = {"token_url": "t", "client_id": "app", "client_secret": Secret("s"), "scope": "asked"}
LOGIN = {"login_url": "l", "credentials": Secret({"user": "u"}), "refresh_url": "r"}
OAUTH_ONLY = ("scope", "token_type")  # members that mean nothing in the reply to a login


def oauth(options: dict[str, Any]) -> RefreshToken:
    return RefreshToken(**{**OAUTH, **options})


def login(options: dict[str, Any]) -> Login:
    return Login(**{**LOGIN, **options})


def outcome(backend: RefreshToken | Login, reply: Reply) -> Outcome:
    try:
        grant = backend.read(reply)
    except TokenRefused as error:
        return Refused(error.error)
    except TokenUnavailable as error:
        return Unavailable(error.error, error.retry_after)
    except ValueError:
        return Unsendable()
    header = grant.headers["Authorization"].reveal()
    refresh_token = grant.refresh_token.reveal() if grant.refresh_token else None
    assert grant.life is not None
    return Granted(grant.life, header, refresh_token, grant.scope)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_odd_reply_is_understood(case: Case) -> None:
    assert outcome(oauth(case.options), case.reply) == case.outcome


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith(OAUTH_ONLY)])
def test_a_login_understands_it_the_same(name: str) -> None:
    case = CASES[name]
    expected = case.outcome
    if isinstance(expected, Granted):
        expected = replace(expected, scope="")
    assert outcome(login(case.options), case.reply) == expected


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_nothing_that_the_reply_held_is_shown(case: Case) -> None:
    try:
        shown = repr(oauth(case.options).read(case.reply))
    except (TokenError, ValueError) as error:
        shown = f"{error} {error!r} {error.__cause__!r}"
    assert SECRET not in shown
    assert "Evil" not in shown
    assert shown.isprintable()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_looking_for_a_refresh_token_never_fails(case: Case) -> None:
    found = oauth(case.options).refresh_token_in(case.reply)
    wanted = case.outcome.refresh_token if isinstance(case.outcome, Granted) else None
    assert (found.reveal() if found else None) == wanted


def test_a_backend_of_ones_own_may_give_a_refresh_token_as_a_text() -> None:
    text: Any = "r2"
    assert Grant({"X-Key": "k"}, refresh_token=text).refresh_token == Secret("r2")
