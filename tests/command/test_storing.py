"""`store-refresh-token`: in through a prompt or a pipe, and shown nowhere."""

import io
import logging
import sys
from collections.abc import Callable, Iterator
from getpass import fallback_getpass  # type: ignore[attr-defined]

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apiclient_app import Client, clients
from tests.conftest import Configure
from tests.secrecy.witnesses import Everything, Told, told_by
from tests.servers import Handle

from .grants import refreshing, refused, row
from .orders import Outcome, order

pytestmark = pytest.mark.django_db

CANARY = "canary-3f9ce1d27a40"

Give = Callable[[str], None]


@pytest.fixture
def shop(api: Handle, api_clients: Configure) -> Client:
    api_clients(shop=refreshing(api), static={"BASE_URL": api.base_url})
    return clients["shop"]


@pytest.fixture
def give(monkeypatch: pytest.MonkeyPatch) -> Give:
    """Let the command find a text on its stdin, a pipe."""
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[list[Told]]:
    """All that any logger says, SQL included."""
    caplog.set_level(1)
    caplog.set_level(1, "django.db.backends")
    everything = Everything()
    logging.getLogger().addHandler(everything)
    with CaptureQueriesContext(connection):
        yield everything.told
    logging.getLogger().removeHandler(everything)


def stored(*words: str, **options: str) -> Outcome:
    return order("store-refresh-token", *words, **options)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_it_is_kept_and_used(api: Handle, shop: Client, give: Give, end: str) -> None:
    give(CANARY + end)
    shown = stored("shop")
    assert shown.out == "shop: stored; the next call obtains a token with it\n"
    assert (shown.code, shown.err) == (0, "")
    shop.token()
    assert api.token_requests[0]["fields"]["refresh_token"] == CANARY


def test_it_is_kept_for_a_subject(api: Handle, shop: Client, give: Give) -> None:
    give(CANARY)
    shown = stored("shop", "--subject", "ann")
    assert shown.out.startswith("shop (ann): stored")
    assert row("shop", "ann").refresh_token
    give(CANARY)
    document = stored("shop", "--subject", "bob", format="json").document
    assert (document["subject"], document["grant"]) == ("bob", "held")


def test_it_mends_a_grant_that_needs_attention(api: Handle, shop: Client, give: Give) -> None:
    refused(api, shop)
    give(CANARY)
    assert stored("shop").code == 0
    assert (order("list").code, order("check").code) == (0, 0)


@pytest.mark.parametrize(
    "words",
    [
        ["shop", CANARY],
        ["shop", "--subject", "ann", CANARY],
        ["shop", f"--token={CANARY}"],
        ["shop", "--token", CANARY],
        ["shop", f"--s={CANARY}"],
        ["shop", f"--no-color={CANARY}"],
        ["shop", f"--format={CANARY}"],
        ["shop", "-v", CANARY],
        ["shop", f"-{CANARY}"],
        ["shop", "--", CANARY],
        [CANARY],
        [CANARY, "shop"],
        [],
    ],
)
def test_a_command_line_takes_none_and_an_error_repeats_none(
    shop: Client, give: Give, words: list[str]
) -> None:
    give("")
    with pytest.raises(CommandError) as caught:
        call_command("apiclient", "store-refresh-token", *words)
    said = str(caught.value)
    assert "store-refresh-token ALIAS" in said or "There is no client of that name" in said
    assert CANARY not in said
    assert order("subjects").err == "0 of 0 shown: page 1 of 1\n"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "that is no refresh token: it is empty"),
        (" \n", "that is no refresh token: it is empty"),
        (f"{CANARY}\n{CANARY}\n", "stdin holds more than one line of text"),
        (f"{CANARY}\n\n", "stdin holds more than one line of text"),
        (f"{CANARY}\0", "stdin holds more than one line of text"),
        (f"{CANARY}\udcff", "stdin holds more than one line of text"),
        (CANARY * 4_000, "stdin holds more than a secret"),
    ],
)
def test_what_can_be_none_is_refused(shop: Client, give: Give, given: str, said: str) -> None:
    give(given)
    shown = stored("shop")
    assert (shown.code, shown.out) == (2, "")
    assert said in shown.error
    assert CANARY not in shown.error


def test_stdin_in_another_encoding_is_refused(
    shop: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = io.BytesIO(CANARY.encode() + b"\xff")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(raw, encoding="utf-8"))
    told = [*told_by(failure("shop"))]
    assert "stdin holds more than one line of text" in str(told)
    assert [what for what, text in told if CANARY in str(text)] == []


def test_without_stdin_it_says_so(shop: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert stored("shop").error == "there is no stdin to read it from"


def test_a_terminal_that_would_show_it_is_not_typed_at(
    shop: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = io.StringIO(CANARY)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    # As the standard library does it where echo cannot be turned off.
    monkeypatch.setattr("apiclient_app.management.typed.getpass", fallback_getpass)
    shown = stored("shop")
    assert (shown.code, shown.error) == (2, "this terminal shows what is typed; pipe it in")
    assert terminal.read() == CANARY


def test_a_client_without_refresh_tokens_takes_none(shop: Client, give: Give) -> None:
    give(CANARY)
    shown = stored("static")
    assert (shown.code, shown.out) == (1, "")
    assert "its auth backend knows no refresh tokens" in shown.error


def test_nothing_shows_it(api: Handle, shop: Client, give: Give, logged: list[Told]) -> None:
    give(CANARY)
    shown = [stored("shop")]
    shop.token()
    words = [("list",), ("inspect", "shop"), ("subjects",), ("check",), ("rotate", "shop")]
    shown += [order(*given, format=form) for given in words for form in ("table", "json")]
    told = [*logged, *(("output", f"{one.out} {one.err} {one.error}") for one in shown)]
    assert any("apiclient_app_credential" in str(text) for _, text in logged)
    assert api.token_requests[0]["fields"]["refresh_token"] == CANARY
    assert [what for what, text in (*told, ("row", str(vars(row())))) if CANARY in str(text)] == []


def failure(alias: str) -> CommandError:
    """Give the error, from a frame that knows no secret itself."""
    with pytest.raises(CommandError) as caught:
        call_command("apiclient", "store-refresh-token", alias)
    return caught.value


def without_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE apiclient_app_credential RENAME TO mislaid")


@pytest.mark.parametrize(
    ("alias", "given", "hinder"),
    [
        ("static", CANARY, lambda: None),
        ("shop", f"{CANARY}\t{CANARY}", lambda: None),
        ("shop", f"\u00a0{CANARY}", lambda: None),
        ("shop", CANARY, without_table),
    ],
    ids=["static", "two words", "odd", "database"],
)
def test_no_failure_shows_it(
    shop: Client,
    give: Give,
    logged: list[Told],
    alias: str,
    given: str,
    hinder: Callable[[], None],
) -> None:
    give(given)
    hinder()
    told = [*logged, *told_by(failure(alias))]
    assert [what for what, text in told if CANARY in str(text)] == []
