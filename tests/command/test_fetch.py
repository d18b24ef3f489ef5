"""`fetch`: a call for each line, an answer for each call."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Configure
from tests.servers import Handle, Reply

from .orders import Outcome, order

NAMES = [
    "number", "mark", "tag", "method", "path", "status", "elapsed", "format", "body", "error",
]  # fmt: skip


@pytest.fixture(params=["requests", "curl"])
def shop(api: Handle, api_clients: Configure, request: pytest.FixtureRequest) -> dict[str, Any]:
    configured = {"shop": api.config(ENGINE=request.param)}
    api_clients(**configured)
    return configured


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    return tmp_path / "lines"


def fetch(lines: Path, *calls: str | bytes, options: tuple[str, ...] = ()) -> Outcome:
    given = (one if isinstance(one, bytes) else one.encode() for one in calls)
    lines.write_bytes(b"".join(one + b"\n" for one in given))
    return order("fetch", "shop", "--from", str(lines), *options)


def documents(text: str) -> list[dict[str, Any]]:
    """Give the answers in the order of their lines."""
    return sorted((json.loads(line) for line in text.splitlines()), key=lambda one: one["number"])


def test_a_line_is_a_path_a_method_and_a_path_or_an_object(
    shop: dict[str, Any], lines: Path
) -> None:
    shown = fetch(
        lines,
        "echo?a=1",
        "",
        "post echo",
        '{"path": "echo", "method": "put", "json": {"b": 2}, "params": {"c": "3"}, "tag": [7],'
        ' "headers": {"X-Id": "8"}, "timeout": [3, 5]}',
        "  DELETE   echo  ",
        '{"path": "status/404", "raise_for_status": false}',
    )
    found = documents(shown.out)
    assert (shown.code, shown.error) == (0, "")
    assert shown.err.startswith("5 answered, 0 failed, 0 skipped; ")
    assert [one["number"] for one in found] == [1, 3, 4, 5, 6]
    assert [one["method"] for one in found] == ["GET", "POST", "PUT", "DELETE", "GET"]
    assert [one["tag"] for one in found] == [None, None, [7], None, None]
    assert found[0]["body"]["query"] == {"a": "1"}
    assert found[2]["body"]["query"] == {"c": "3"}
    assert found[2]["body"]["headers"]["x-id"] == "8"
    assert found[2]["body"]["size"] == len(b'{"b": 2}')
    assert (found[4]["status"], found[4]["error"]) == (404, None)


def test_a_line_may_have_a_deadline_of_its_own(
    api: Handle, shop: dict[str, Any], lines: Path
) -> None:
    api.always("/api/slow", Reply(delay=30))
    shown = fetch(
        lines,
        '{"path": "slow", "deadline": 0.2}',
        '{"path": "echo", "deadline": 20}',
        '{"path": "echo", "deadline": "20"}',
    )
    slow, soon, text = documents(shown.out)
    assert (slow["error"]["class"], soon["error"]) == ("DeadlineExceeded", None)
    assert (text["error"]["class"], shown.code) == ("InvalidRequest", 1)


def test_every_answer_has_the_same_names(shop: dict[str, Any], lines: Path) -> None:
    shown = fetch(lines, "echo", "status/404", "{")
    found = documents(shown.out)
    assert [list(one) for one in found] == [NAMES] * 3
    assert found[0]["elapsed"] > 0


@pytest.mark.parametrize(
    ("body", "headers", "wanted"),
    [
        ('{"a": [1, null, "\\ud800"]}', {"Content-Type": "application/json"}, "json"),
        ('{"a": 1}', {"Content-Type": "application/problem+json; charset=utf-8"}, "json"),
        ('{"a": 1', {"Content-Type": "application/json"}, "text"),
        ('{"a": NaN}', {"Content-Type": "application/json"}, "text"),
        ("[" * 100_000, {"Content-Type": "application/json"}, "text"),
        ('{"a": 1}', {}, "text"),
        ("prêt", {"Content-Type": "text/plain"}, "text"),
        ("\udce9", {"Content-Type": "text/plain; charset=latin-1"}, "é"),
        ("", {}, "text"),
        ("\udcff\x00", {}, "base64"),
        ("\udce9", {"Content-Type": "text/plain"}, "base64"),
        ("x", {"Content-Type": "text/plain; charset=unheard-of"}, "base64"),
    ],
)
def test_a_body_is_json_or_text_or_bytes(
    api: Handle, shop: dict[str, Any], lines: Path, body: str, headers: dict[str, str], wanted: str
) -> None:
    api.always("/api/echo", Reply(body=body, headers=headers))
    (found,) = documents(fetch(lines, "echo").out)
    raw = body.encode("utf-8", "surrogateescape")
    if wanted == "json":
        assert (found["format"], found["body"]) == ("json", json.loads(body))
    elif wanted == "base64":
        assert (found["format"], base64.b64decode(found["body"])) == ("base64", raw)
    else:
        assert (found["format"], found["body"]) == ("text", body if wanted == "text" else wanted)


def test_what_fails_is_told_and_the_exit_code_says_so(
    api: Handle, shop: dict[str, Any], lines: Path
) -> None:
    api.always("/api/slow", Reply(body="0123456789", style="cut"))
    shown = fetch(lines, "echo", "status/404", "slow", "https://other.example/")
    _fine, missing, cut, foreign = documents(shown.out)
    assert (shown.code, shown.error) == (1, "shop: 3 calls failed")
    assert shown.err.startswith("1 answered, 3 failed, 0 skipped")
    assert missing["error"]["class"] == "NotFound"
    assert missing["error"]["message"].startswith("shop: GET http")
    assert (missing["status"], missing["body"]["status"]) == (404, 404)
    assert (cut["error"]["class"], cut["status"], cut["body"]) == ("TransportError", None, None)
    assert foreign["error"]["class"] == "ForeignOrigin"


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"\xff",
        b'{"method": "GET"}',
        b'{"path": 5}',
        b'{"path": "echo", "method": null}',
        b'{"path": "echo", "verify": false}',
        b'{"a":' * 50_000,
        b'{"path": "echo", "params": 5}',
        b'{"path": "echo", "headers": {"a": "b\\nc"}}',
        b"FETCH echo",
        b"# a comment",
        b"[1, 2]",
    ],
)
def test_a_line_that_is_no_call_fails_alone(
    api: Handle, shop: dict[str, Any], lines: Path, line: bytes
) -> None:
    shown = fetch(lines, "echo", line, "echo")
    found = documents(shown.out)
    assert shown.code == 1
    assert [one["error"] is None for one in found] == [True, False, True]
    assert api.count(200, "/api/echo") == 2


def test_less_is_said_with_verbosity_0(shop: dict[str, Any], lines: Path) -> None:
    lines.write_text("echo\n")
    shown = order("fetch", "shop", "--from", str(lines), verbosity=0)
    assert (shown.err, len(shown.out.splitlines())) == ("", 1)


def test_it_acts_for_a_subject(shop: dict[str, Any], lines: Path) -> None:
    shown = fetch(lines, "status/404", options=("--subject", "user-42"))
    assert shown.error == "shop (user-42): 1 calls failed"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nobody", "--from", "-"], "nobody"),
        (["shop", "--from", "/no/such/file"], "/no/such/file cannot be read: No such file"),
        (["shop", "--from", "-", "--output", "/no/such/file"], "cannot be written: No such file"),
        (["shop", "--from", "-", "--keep-failed"], "--keep-failed needs --output"),
        (["shop", "--from", "{lines}", "--output", "{lines}"], "the file that --from reads"),
        (["shop", "--from", "-", "--concurrency", "0"], "'0' is no number from 1 to 1000"),
        (["shop"], "--from"),
    ],
)
def test_what_cannot_be_done_is_not_begun(
    api: Handle, shop: dict[str, Any], lines: Path, words: list[str], said: str
) -> None:
    lines.write_text("echo\n")
    shown = order("fetch", *(word.format(lines=lines) for word in words))
    assert said in shown.error
    assert api.requests == []
    assert lines.read_text() == "echo\n"
