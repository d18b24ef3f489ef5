"""Many calls from sync code."""

import asyncio
import itertools
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from apiclient_app import (
    APIClientError,
    Call,
    Client,
    DeadlineExceeded,
    InvalidConfiguration,
    InvalidRequest,
    NotFound,
    TransportError,
    clients,
    signals,
)
from tests.conftest import Configure
from tests.servers import Handle

from .conftest import shop_of

SLOW = {"ms": 150}


def test_responses_come_in_the_order_of_the_calls(shop: Client) -> None:
    calls = [Call("GET", "slow", params={"ms": 60 - n}, tag=n) for n in range(50)]
    assert [r.call.tag for r in shop.map(calls, concurrency=10)] == list(range(50))


def test_unordered_the_quick_are_not_held_up_by_the_slow(shop: Client) -> None:
    calls = [Call("GET", "slow", params={"ms": 1000}, tag="slow"), *["echo"] * 5]
    tags = [r.call.tag for r in shop.map(calls, ordered=False)]
    assert tags == [None] * 5 + ["slow"]


def test_calls_may_be_paths_pairs_or_calls(shop: Client) -> None:
    calls: list[Any] = ["echo?a=1", ("DELETE", "echo"), Call("POST", "echo", json={"a": 2})]
    got = [r.json() for r in shop.map(calls)]
    assert [each["method"] for each in got] == ["GET", "DELETE", "POST"]
    assert got[0]["query"] == {"a": "1"}
    assert got[2]["size"] == len('{"a": 2}')


def test_no_more_is_taken_from_the_source_than_may_be_under_way(shop: Client) -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        for _ in itertools.count():
            taken += 1
            yield "echo"

    results = shop.map(endless(), concurrency=4)
    for given in range(1, 41):
        assert next(results).status_code == 200
        assert taken <= given + 4 * 4
    results.close()  # type: ignore[attr-defined]


def test_never_more_under_way_than_the_concurrency(shop: Client, api: Handle) -> None:
    began = time.perf_counter()
    calls = [Call("GET", "slow", params=SLOW)] * 12
    assert len(list(shop.map(calls, concurrency=3))) == 12
    assert time.perf_counter() - began >= 4 * 0.15


def test_an_error_is_raised_at_its_place_and_ends_it(shop: Client) -> None:
    results = shop.map(["echo", "status/404", "echo"])
    assert next(results).status_code == 200
    with pytest.raises(NotFound) as caught:
        next(results)
    assert caught.value.call.path == "status/404"  # type: ignore[attr-defined]
    assert list(results) == []


def test_errors_can_be_given_in_place_of_responses(shop: Client) -> None:
    calls: list[Any] = ["echo", "status/404", 42, "//evil.example/x", Call("GET", "a", tag=5)]
    got = list(shop.map(calls, return_exceptions=True))
    kinds = [type(each).__name__ for each in got]
    assert kinds[1:4] == ["NotFound", "InvalidRequest", "ForeignOrigin"]
    assert [each.call and each.call.path for each in got] == [
        "echo", "status/404", None, "//evil.example/x", "a",
    ]  # fmt: skip
    assert got[4].call.tag == 5


def test_a_status_may_be_taken_as_it_is(shop: Client) -> None:
    calls = [Call("GET", "status/404", raise_for_status=False), "status/404"]
    first, second = shop.map(calls, return_exceptions=True)
    assert first.status_code == 404
    assert isinstance(second, NotFound)


def test_a_source_that_fails_does_so_after_what_it_gave(shop: Client) -> None:
    def failing() -> Iterator[str]:
        yield from ["echo"] * 3
        raise LookupError("no more rows")

    results = shop.map(failing())
    assert [next(results).status_code for _ in range(3)] == [200] * 3
    with pytest.raises(LookupError, match="no more rows"):
        next(results)


def test_cold_and_at_an_expiry_in_the_middle_one_token_is_asked_for(
    shop: Client, api: Handle
) -> None:
    done = 0
    for response in shop.map(itertools.repeat("echo", 600), concurrency=20, ordered=False):
        assert response.status_code == 200
        done += 1
        if done == 200:
            api.expire_all()
    assert done == 600
    assert len(api.token_requests) == 2
    assert api.count(401) <= 20


def test_a_token_that_nobody_gives_ends_every_call(shop: Client, api: Handle) -> None:
    api.set(credentials={})
    got = list(shop.map(["echo"] * 30, concurrency=10, return_exceptions=True))
    assert {type(each).__name__ for each in got} == {"TokenRefused"}
    assert len(api.token_requests) == 1


def test_who_stops_early_leaves_nothing_behind(shop: Client, api: Handle) -> None:
    for _ in range(5):
        for number, _response in enumerate(
            shop.map(itertools.repeat("slow?ms=20"), concurrency=8)
        ):
            if number == 3:
                break
    assert len(list(shop.map(["echo"] * 20))) == 20
    api.expire_all()
    assert shop.get("echo").status_code == 200
    assert len(api.token_requests) == 2


def test_who_stops_while_a_token_is_asked_for_leaves_no_lock(shop: Client, api: Handle) -> None:
    shop.get("echo")
    results = shop.map(itertools.repeat("echo"), concurrency=4, ordered=False)
    next(results)
    api.expire_all()
    api.set(token_delay=0.4)
    stop = threading.Timer(0.15, api.set, kwargs={"token_delay": 0})
    stop.start()
    for _ in range(6):
        next(results)
    results.close()  # type: ignore[attr-defined]
    stop.join()
    began = time.perf_counter()
    assert shop.get("echo").status_code == 200
    assert time.perf_counter() - began < 6  # a lock left behind would last 12 seconds
    assert shop.inspect().state == "fresh"


def test_a_slow_consumer_makes_no_call_time_out(
    api: Handle, api_clients: Configure, way: str
) -> None:
    shop = shop_of(api, api_clients, way, TIMEOUT=(0.8, 0.8))
    for response in shop.map(["echo"] * 12, concurrency=3):
        assert response.status_code == 200
        time.sleep(0.12)
    for response in shop.map(["echo"] * 3, concurrency=3):
        assert response.status_code == 200
        time.sleep(1.2)


def test_whoever_leaves_leaves_no_call_behind_that_was_kept_back(
    api: Handle, api_clients: Configure, way: str
) -> None:
    shop = shop_of(api, api_clients, way, CACHE="locmem", RATE_LIMIT="1/30 seconds")
    before = set(threading.enumerate())
    responses = shop.map(["echo"] * 10, concurrency=4, ordered=False)
    assert next(responses).status_code == 200
    responses.close()  # type: ignore[attr-defined]
    until = time.monotonic() + 3
    while left := {t for t in threading.enumerate() if "apiclient-map" in t.name} - before:
        assert time.monotonic() < until, left
        time.sleep(0.02)
    assert api.count(200) == 1


def test_time_that_the_consumer_takes_is_nobodys_deadline(
    api: Handle, api_clients: Configure, way: str
) -> None:
    shop = shop_of(api, api_clients, way, DEADLINE=0.6, BREAKER={"failures": 1, "share": 0.01})
    for response in shop.map(["slow?ms=100"] * 8, concurrency=3):
        assert response.status_code == 200
        time.sleep(0.7)
    mixed = ["echo", "slow?ms=9000", "slow?ms=100"]
    began, got = time.monotonic(), []
    for each in shop.map(mixed, concurrency=3, return_exceptions=True, ordered=False):
        got.append(isinstance(each, DeadlineExceeded))
        time.sleep(0.3)
    assert sorted(got) == [False, False, True]
    assert time.monotonic() - began < 3


def test_one_that_hangs_times_out_and_the_others_do_not(
    api: Handle, api_clients: Configure, way: str
) -> None:
    shop = shop_of(api, api_clients, way, TIMEOUT=(3, 1))
    calls = ["slow?ms=9000", *["slow?ms=100"] * 6]
    got = list(shop.map(calls, concurrency=2, return_exceptions=True))
    assert isinstance(got[0], TransportError)
    assert all(each.status_code == 200 for each in got[1:])


def test_a_map_within_a_map(shop: Client) -> None:
    outer = shop.map(["echo"] * 3, concurrency=2)
    assert [[r.status_code for r in shop.map(["echo"] * 2)] for _ in outer] == [[200, 200]] * 3


def test_a_map_in_a_running_event_loop(shop: Client) -> None:
    async def main() -> list[int]:
        return [r.status_code for r in shop.map(["echo"] * 5)]

    assert asyncio.run(main()) == [200] * 5


def test_maps_in_several_threads(shop: Client) -> None:
    got: list[int] = []

    def work() -> None:
        got.extend(r.status_code for r in shop.map(["echo"] * 40, concurrency=5))

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [200] * 200


def test_every_call_is_announced(shop: Client) -> None:
    told: list[tuple[str, int | None]] = []

    def hear(method: str, status: int | None, **_: Any) -> None:
        told.append((method, status))

    signals.call_finished.connect(hear)
    try:
        list(shop.map(["echo", ("DELETE", "echo"), "status/404"], return_exceptions=True))
    finally:
        signals.call_finished.disconnect(hear)
    assert sorted(told, key=str) == [("DELETE", 200), ("GET", 200), ("GET", 404)]


def test_subjects_have_tokens_of_their_own(shop: Client, api: Handle) -> None:
    for who in ("ann", "bob"):
        assert [r.status_code for r in shop.for_subject(who).map(["echo"] * 5)] == [200] * 5
    assert len({request["token"] for request in api.requests if "token" in request}) == 2


@pytest.mark.parametrize("concurrency", [0, -1, 1.5, True, "ten"])
def test_a_concurrency_that_is_none_is_refused(shop: Client, concurrency: Any) -> None:
    with pytest.raises(InvalidRequest, match="concurrency"):
        next(shop.map(["echo"], concurrency=concurrency))


def test_answers_are_not_streamed(shop: Client) -> None:
    with pytest.raises(InvalidRequest, match="stream"):
        next(shop.map([Call("GET", "echo", stream=True)]))


def test_a_progress_bar_is_drawn(shop: Client, capsys: pytest.CaptureFixture[str]) -> None:
    list(shop.map(["echo"] * 7, progress=True))
    assert "7/7" in capsys.readouterr().err


def test_without_tqdm_an_error_says_what_to_install(
    shop: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tqdm", None)
    with pytest.raises(
        InvalidConfiguration, match=r"pip install django-apiclient-app\[progress\]"
    ):
        next(shop.map(["echo"], progress=True))


def test_nothing_is_done_before_the_first_is_wanted(shop: Client, api: Handle) -> None:
    shop.map(["echo"] * 5)
    assert not api.token_requests


def test_an_api_that_cannot_be_reached_fails_every_call_by_itself(
    api: Handle, api_clients: Configure, way: str
) -> None:
    shop = shop_of(api, api_clients, way, BASE_URL="http://127.0.0.1:9/")
    got = list(shop.map(["a"] * 5, return_exceptions=True))
    assert all(isinstance(each, TransportError) and not each.sent for each in got)


def test_clients_of_a_closed_handler_go_on(shop: Client) -> None:
    assert len(list(shop.map(["echo"] * 3))) == 3
    clients.close()
    assert len(list(shop.map(["echo"] * 3))) == 3


def test_every_error_is_ours(shop: Client, api: Handle) -> None:
    calls = ["echo", "status/500", "status/418", Call("TR ACE", "x"), Call("GET", "x", auth=3)]
    for each in shop.map(calls, return_exceptions=True):
        assert getattr(each, "status_code", 0) == 200 or isinstance(
            each, APIClientError | TypeError
        )
