"""`call`: what goes to the API, and what comes to stdout."""

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Configure
from tests.servers import Handle, Reply

from .conftest import LIMIT, Run, Start
from .orders import order

FILE = b"line\n" * 50_000


@pytest.fixture
def shop(api: Handle, api_clients: Configure) -> dict[str, Any]:
    """One client, in this process and for one of its own: `run("call", …, **shop)`."""
    configured = {"shop": api.config()}
    api_clients(**configured)
    return configured


def test_the_body_goes_to_stdout_and_the_status_to_stderr(shop: dict[str, Any]) -> None:
    shown = order("call", "shop", "GET", "status/200")
    assert shown.out == '{"status": 200, "path": "/api/status/200"}'
    assert shown.err == "200 OK\n"
    assert shown.code == 0


def test_a_refusal_has_its_body_on_stdout_too(shop: dict[str, Any], run: Run) -> None:
    shown = order("call", "shop", "GET", "status/404")
    assert (shown.out, shown.err) == (
        '{"status": 404, "path": "/api/status/404"}',
        "404 Not Found\n",
    )
    assert (shown.code, shown.error) == (1, "shop: 404 Not Found")
    ran = run("call", "shop", "GET", "status/404", **shop)
    assert (ran.stdout, ran.stderr, ran.returncode) == (shown.out, "404 Not Found\n", 1)


def test_params_and_headers_are_sent(shop: dict[str, Any]) -> None:
    params = ["--param", "a=1", "--param", "a=2=3", "--param", "b="]
    header = ["--header", "X-Trace:  abc: d "]
    document = order("call", "shop", "get", "echo", *params, *header).document
    assert document["method"] == "GET"
    assert document["query"] == {"a": "2=3", "b": ""}
    assert document["headers"]["x-trace"] == "abc: d"


def test_json_is_sent_as_it_was_typed(shop: dict[str, Any]) -> None:
    typed = '{"price": 1.10, "big": 12345678901234567890}'
    document = order("call", "shop", "POST", "echo", "--json", typed).document
    assert document["sha256"] == hashlib.sha256(typed.encode()).hexdigest()
    assert document["headers"]["content-type"] == "application/json"


@pytest.mark.parametrize("source", ["file", "stdin"])
def test_a_body_can_be_sent_twice(
    api: Handle, shop: dict[str, Any], run: Run, tmp_path: Path, source: str
) -> None:
    (tmp_path / "body").write_bytes(FILE)
    word = {"file": f"@{tmp_path / 'body'}", "stdin": "-"}[source]
    assert order("rotate", "shop").code == 0
    api.expire_all()
    ran = run("call", "shop", "PUT", "echo", "--data", word, given=FILE, **shop)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["sha256"] == hashlib.sha256(FILE).hexdigest()
    assert (api.count(401), api.count(200)) == (1, 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--json", "{"], "--json: Expecting property name"),
        (["--data", "@/no/such/file"], "/no/such/file cannot be read: No such file"),
        (["--param", "a"], "--param needs a name and a value, with '=' between"),
        (["--header", ": x"], "--header needs a name and a value, with ':' between"),
        (["--header", "X-Trace: a\nb"], "Invalid"),
        (["--header", "authorization: Bearer x"], "credentials belong into the settings"),
        (["--header", "X-API-Key: x"], "credentials belong into the settings"),
    ],
)
def test_what_cannot_be_sent_is_not(
    api: Handle, shop: dict[str, Any], words: list[str], said: str
) -> None:
    shown = order("call", "shop", "POST", "echo", *words)
    assert shown.code == 2
    assert said in shown.error
    assert api.requests == []


def test_another_origin_is_not_called(api: Handle, shop: dict[str, Any]) -> None:
    shown = order("call", "shop", "GET", "https://other.example/echo")
    assert (shown.code, api.requests) == (2, [])


def test_an_answer_that_breaks_off_fails_in_one_line(
    api: Handle, shop: dict[str, Any], run: Run
) -> None:
    api.always("/api/echo", Reply(body="0123456789", style="cut"))
    ran = run("call", "shop", "GET", "echo", **shop)
    assert ran.returncode == 1
    status, line = ran.stderr.splitlines()
    assert status == "200 OK"
    assert line.startswith(f"apiclient: shop: GET {api.base_url}echo")
    assert "the answer broke off" in line


def test_bytes_come_out_as_they_are(api: Handle, shop: dict[str, Any], start: Start) -> None:
    body = b'{"a":\x00\xff\r\n\x80'
    kind = {"Content-Type": "application/json"}
    api.always("/api/echo", Reply(body=body.decode(errors="surrogateescape"), headers=kind))
    with start("call", "shop", "GET", "echo", **shop) as process:
        out, _err = process.communicate(timeout=LIMIT)
    assert (out, process.returncode) == (body, 0)


def test_a_large_body_takes_no_memory(shop: dict[str, Any], start: Start) -> None:
    peaks = []
    for megabytes in (1, 200):
        words = ("call", "shop", "GET", f"big?mb={megabytes}")
        with start(*words, stdout=subprocess.DEVNULL, **shop) as process:
            _pid, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        peaks.append(usage.ru_maxrss)  # in KiB
    assert peaks[1] - peaks[0] < 10_000


def test_a_body_is_decoded_for_a_text_stream(api: Handle, shop: dict[str, Any]) -> None:
    text = "prêt " * 40_000
    plain = {"Content-Type": "text/plain; charset=utf-8"}
    api.always("/api/echo", Reply(body=text, headers=plain))
    assert order("call", "shop", "GET", "echo").out == text


def test_less_is_said_with_verbosity_0(shop: dict[str, Any]) -> None:
    shown = order("call", "shop", "HEAD", "echo", verbosity=0)
    assert (shown.out, shown.err, shown.code) == ("", "", 0)
