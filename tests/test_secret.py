"""Secrets do not show by accident, and text that may hold one is cleaned."""

import copy
import json
import logging
import pickle
import re
import time
import traceback
from urllib.parse import quote, quote_plus

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st

from apiclient_app.secret import MASK, Secret, mask_url, one_line, redact, scrubbed

PASSWORD = "p4ss w/rd:+%"
PRINTABLE = st.characters(exclude_categories=("C", "Z"), exclude_characters="*")
SECRETS = st.text(PRINTABLE | st.just(" "), min_size=3, max_size=30)


def test_only_reveal_shows_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(PASSWORD)
    logging.getLogger("tests").warning("%s %r", secret, secret)
    shown = f"{secret} {secret!r} {secret:>20} {[secret]} {vars()} {caplog.text}"
    assert PASSWORD not in shown
    assert secret.reveal() == PASSWORD


def test_a_secret_is_never_pickled_nor_made_json() -> None:
    for serialize in (pickle.dumps, json.dumps):
        with pytest.raises(TypeError):
            serialize(Secret(PASSWORD))


def test_copies_of_a_secret_are_the_secret() -> None:
    secret = Secret({"password": PASSWORD})
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


def test_secrets_compare_by_value_and_with_nothing_else() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("ä")
    assert Secret(1) == Secret(1)
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


@given(SECRETS, st.text(max_size=20), st.text(max_size=20))
@example("%2f", "", "")
@example('a"b\\c', "x", "y")
@example("a b", "", "")
def test_no_named_secret_survives_in_any_spelling(secret: str, before: str, after: str) -> None:
    spellings = {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
    for spelling in spellings:
        assert spelling not in redact(f"{before}{spelling}{after}", [secret])


@given(st.lists(SECRETS, max_size=4), st.text(max_size=60))
def test_no_text_and_no_secret_breaks_redaction(secrets: list[str], text: str) -> None:
    redact(text, secrets)
    mask_url(text, secrets)
    one_line(text)


@pytest.mark.parametrize("piece", ["a", "token", "token-", 'token"', "bearer ", "token = ", "\\"])
def test_redaction_takes_no_longer_than_the_text_is(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    began = time.process_time()
    redact(text)
    assert time.process_time() - began < 1


def test_a_secret_within_a_secret_leaves_no_rest() -> None:
    assert redact("<abcdef>", ["cde", "abcdef"]) == f"<{MASK}>"


def test_an_empty_or_tiny_secret_does_not_eat_the_text() -> None:
    assert redact("an ordinary text", ["", "a", "te"]) == "an ordinary text"


@pytest.mark.parametrize(
    "text",
    [
        "access_token=hunter2",
        "a=1&access_token=hunter2&b=2",
        '{"refresh_token": "hunter2"}',
        "{'client_secret': 'hunter2'}",
        '{"password":"hunter2',
        r'{"password": "a\"hunter2"}',
        "X-Api-Key: hunter2",
        "Api_Key = hunter2",
        "Authorization: Bearer hunter2",
        "authorization: hunter2",
        "Cookie: sid=hunter2",
        "Set-Cookie: sid=hunter2; HttpOnly",
        "Authorization: Token hunter2",
        '{"Authorization": "Digest hunter2"}',
        "sent Bearer hunter2 to",
        "Basic aHVudGVyMg==hunter2",
        "client_assertion=hunter2",
        "My API key: hunter2",
        r'{"message": "{\"token\": \"hunter2\"}"}',
    ],
)
def test_what_looks_like_a_secret_is_masked_unnamed(text: str) -> None:
    assert "hunter2" not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "token expired",
        "The token was revoked yesterday.",
        "Basic authentication is required",
        "invalid_client: unknown client",
        '{"status": 404, "detail": "no such user"}',
    ],
)
def test_prose_is_left_as_it_is(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://api.example/a?page=2", "https://api.example/a?page=2"),
        ("https://joe:hunter2@api.example/a", "https://api.example/a"),
        (
            "https://api.example/a?api_key=hunter2&page=2",
            "https://api.example/a?api_key=***&page=2",
        ),
        ("https://api.example/a?Access_Token=hunter2", "https://api.example/a?Access_Token=***"),
        ("https://api.example/a?sig=hunter2&code=1", "https://api.example/a?sig=***&code=***"),
        ("https://api.example/a#access_token=hunter2", "https://api.example/a"),
        ("https://[::1/?token=hunter2", "(unreadable URL)"),
    ],
)
def test_a_shown_url_has_no_credentials(url: str, shown: str) -> None:
    assert mask_url(url) == shown


def test_a_shown_url_has_no_secret_in_path_or_odd_field() -> None:
    url = f"https://api.example/{quote(PASSWORD, safe='')}/x?q={quote_plus(PASSWORD)}"
    assert mask_url(url, [PASSWORD]) == f"https://api.example/{MASK}/x?q={MASK}"


def test_one_line_is_one_printable_line_of_bounded_length() -> None:
    assert one_line("a\r\n\tb\x00\x1b[31mc\u2028d") == "a b [31mc d"
    assert one_line("x" * 10_000, 50) == "x" * 49 + "…"


@given(st.text(), st.integers(min_value=1, max_value=80))
def test_one_line_holds_its_limit(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert line.isprintable()


class Awkward(Exception):
    def __init__(self, *, code: int) -> None:
        super().__init__(f"Bearer hunter2 {code}")


@pytest.mark.parametrize(
    "error",
    [
        requests.ConnectionError("https://api.example/?api_key=hunter2"),
        ValueError("password=hunter2"),
        OSError(5, "token=hunter2"),
        UnicodeDecodeError("utf-8", b"hunter2", 0, 1, "bad"),
        Awkward(code=3),
        KeyError("secret=hunter2"),
    ],
)
def test_a_scrubbed_error_can_be_chained_and_shows_nothing(error: Exception) -> None:
    try:
        raise error from RuntimeError("token=hunter2")
    except Exception as caught:  # noqa: BLE001
        stand_in = scrubbed(caught)
    shown = "".join(traceback.format_exception(stand_in))
    assert "hunter2" not in shown + repr(vars(stand_in))
    assert stand_in.__traceback__ is None
    assert stand_in.__cause__ is None
    assert re.search(type(error).__name__, shown)


LONG = "eyJhbGciOiJSUzI1NiJ9." + "Zq7-x_/+" * 700


@given(st.text(max_size=40), st.integers(8, len(LONG) - 1), st.sampled_from(["", "…", "\ufffd"]))
def test_half_a_secret_at_the_end_of_what_was_cut_is_masked(
    before: str, length: int, end: str
) -> None:
    shown = redact(f"{before} {LONG[:length]}{end}", [LONG])
    assert LONG[:8] not in shown
    assert MASK in shown


def test_half_a_secret_is_known_in_other_spellings() -> None:
    assert redact(f"no good: {quote(LONG, safe='')[:3000]}", [LONG]) == f"no good: {MASK}"


def test_the_beginning_of_a_secret_elsewhere_is_a_word_like_others() -> None:
    assert (
        redact("password is wrong: passwor", ["password-of-mine"]) == "password is wrong: passwor"
    )


def test_looking_for_half_a_secret_is_fast() -> None:
    secret = "abcdefgh" * 8_000 + "!"
    began = time.thread_time()
    redact("abcdefgh" * 125_000 + "?", [secret])
    assert time.thread_time() - began < 2
