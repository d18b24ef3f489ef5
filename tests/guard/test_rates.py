"""How many calls are allowed: as settings say it, as it is kept to, and as headers tell it."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from apiclient_app.guard.rates import (
    LONGEST_TOLD,
    Allowance,
    Log,
    RateLimit,
    Told,
    allowance,
    told,
)

NOW = 1_800_000_000.0  # Fri, 15 Jan 2027 08:00:00 GMT
EVER = float("inf")


@pytest.mark.parametrize(
    ("text", "calls", "seconds"),
    [
        ("100/minute", 100, 60), ("5/s", 5, 1), ("5/sec", 5, 1), ("1/second", 1, 1),
        ("2/m", 2, 60), ("10/min", 10, 60), ("1000/hour", 1000, 3600), ("9/h", 9, 3600),
        ("1/d", 1, 86_400), ("5000/day", 5000, 86_400), ("900/15 minutes", 900, 900),
        ("900/15minutes", 900, 900), ("3/2 days", 3, 172_800), (" 100 / Minute ", 100, 60),
        ("100/MINUTES", 100, 60),
        ("9999999/99999 d", 9_999_999, 99_999 * 86_400),
    ],
)  # fmt: skip
def test_an_allowance_is_read_as_people_write_it(text: str, calls: int, seconds: float) -> None:
    assert allowance(text) == Allowance(calls, seconds)


@pytest.mark.parametrize(
    "text",
    [
        "", "100", "/minute", "100/", "0/minute", "-1/minute", "1.5/s", "100/week", "100/0 s",
        "100 per minute", "100/minute/hour", "01/s", "100/minutess", "1e3/s", "10000000/s",
        "1/100000 s", "\u0661\u0660/minute", "100/ s x", "100/s, 5/m", "1_000/s",
    ],
)  # fmt: skip
def test_anything_else_is_no_allowance(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        allowance(text)


@given(st.text("0123456789/ smhd.,-eE", max_size=20) | st.text(max_size=20))
def test_no_text_breaks_the_reading(text: str) -> None:
    try:
        one = allowance(text)
    except ValueError:
        return
    assert one.calls >= 1
    assert 1 <= one.seconds < EVER


ALLOWANCES = st.builds(Allowance, st.integers(1, 30), st.floats(0.05, 100))
LIMITS = st.lists(ALLOWANCES, min_size=1, max_size=3).map(tuple)
ARRIVALS = st.lists(
    st.tuples(st.floats(0, 20) | st.just(0.0), st.sampled_from([0.0, 1.0, 30.0, EVER])),
    max_size=120,
)


@settings(deadline=None)
@given(LIMITS, ARRIVALS)
def test_in_no_window_are_more_calls_than_are_allowed(
    allowances: tuple[Allowance, ...], arrivals: list[tuple[float, float]]
) -> None:
    spans = RateLimit(allowances=allowances).spans
    log, now, moments = Log(spans), 0.0, list[float]()
    for pause, longest in arrivals:
        now += pause
        fits, seconds = log.reserve(now, longest)
        assert seconds >= 0
        assert fits is (seconds <= longest)
        if fits:
            moments.append(now + seconds)
    assert all(before <= after + 1e-9 for before, after in pairwise(moments))
    for span in spans:
        for first, next_one in zip(moments, moments[span.calls :], strict=False):
            assert next_one - first >= span.seconds - 1e-9


@settings(deadline=None)
@given(LIMITS, ARRIVALS)
def test_no_call_waits_that_need_not(
    allowances: tuple[Allowance, ...], arrivals: list[tuple[float, float]]
) -> None:
    spans = RateLimit(allowances=allowances).spans
    log, now, moments = Log(spans), 0.0, list[float]()
    for pause, _ in arrivals:
        now += pause
        _, seconds = log.reserve(now, EVER)
        full = [s for s in spans if len(moments) >= s.calls]
        full = [s for s in full if moments[-s.calls] + s.seconds > now]
        bounds = [moments[-s.calls] + s.seconds for s in full]
        paces = [moments[-1] + s.seconds / s.calls for s in full]
        wanted = max([now, *moments[-1:], *bounds, *paces])
        assert now + seconds == pytest.approx(wanted, abs=1e-9)
        moments.append(wanted)


def granted(text: str, calls: int) -> list[float]:
    """Give the moments of calls that all come at once."""
    log = Log(RateLimit(allowances=(allowance(text),)).spans)
    return [round(log.reserve(NOW, EVER)[1], 6) for _ in range(calls)]


def test_a_tenth_goes_at_once_and_the_rest_is_spread() -> None:
    moments = granted("100/minute", 100)
    assert moments[:10] == [0.0] * 10
    assert moments[10:] == pytest.approx([6.0 + n * 0.6 for n in range(90)])


def test_five_go_at_once_where_a_tenth_is_less() -> None:
    assert granted("20/minute", 8) == [0.0] * 5 + [15.0, 18.0, 21.0]


def test_so_few_as_five_are_not_spread() -> None:
    assert granted("5/minute", 6) == [0.0] * 5 + [60.0]
    assert granted("1/s", 3) == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("text", ["100/minute", "7/s", "20/hour", "33/minute", "1000/day"])
def test_spreading_costs_nothing_of_the_allowance(text: str) -> None:
    one = allowance(text)
    moments = granted(text, one.calls * 3)
    assert moments[-1] < 3 * one.seconds
    assert moments[one.calls] == pytest.approx(one.seconds)


def test_all_of_several_allowances_hold() -> None:
    log = Log((Allowance(2, 1.0), Allowance(3, 6.0)))
    assert [log.reserve(0.0, EVER)[1] for _ in range(7)] == [0, 0, 1, 6, 8, 10, 12]


def test_who_would_wait_too_long_is_told_how_long_and_takes_no_place() -> None:
    log = Log((Allowance(1, 10.0),))
    assert log.reserve(0.0, 0.0) == (True, 0.0)
    assert log.reserve(4.0, 5.0) == (False, 6.0)
    assert log.reserve(4.0, 6.0) == (True, 6.0)


def test_moments_stay_in_order_when_a_clock_is_set_back() -> None:
    log = Log((Allowance(1, 10.0),))
    log.reserve(1000.0, EVER)
    assert log.reserve(0.0, EVER) == (True, 1010.0)


def test_nobody_goes_while_the_api_holds_all_back() -> None:
    log = Log((Allowance(10, 1.0),))
    log.held_until = 7.0
    assert log.reserve(0.0, 5.0) == (False, 7.0)
    assert log.reserve(0.0, EVER) == (True, 7.0)
    assert log.reserve(8.0, 0.0) == (True, 0.0)


def test_without_an_allowance_everybody_goes_unless_the_api_says_wait() -> None:
    log = Log(())
    assert [log.reserve(0.0, 0.0) for _ in range(100)] == [(True, 0.0)] * 100
    log.held_until = 2.0
    assert log.reserve(0.0, 0.0) == (False, 2.0)


def heard(**headers: str) -> Told | None:
    """Give what headers told at `NOW`; `_` stands for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return told(CaseInsensitiveDict(named), NOW)


LATER = "Fri, 15 Jan 2027 08:01:00 GMT"  # a minute after NOW


@pytest.mark.parametrize(
    ("headers", "left", "seconds"),
    [
        ({"RateLimit_Remaining": "7", "RateLimit_Reset": "30"}, 7, 30),
        ({"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "1800000060"}, 0, 60),
        ({"X_RateLimit_Remaining": "4", "X_RateLimit_Reset_After": "0.25"}, 4, 0.25),
        ({"X_RateLimit_Remaining": "4", "X_RateLimit_Reset": "1800000060.5"}, 4, 60.5),
        (
            {
                "X_RateLimit_Remaining": "1",
                "X_RateLimit_Reset": "1800000009",
                "X_RateLimit_Reset_After": "2.5",
            },
            1, 2.5,
        ),
        ({"X_Rate_Limit_Remaining": "2", "X_Rate_Limit_Reset": "1800000900"}, 2, 900),
        ({"X_RateLimit_Remaining": "3", "X_RateLimit_Reset": "1800000060000"}, 3, 60),
        ({"X_RateLimit_Remaining": "3", "X_RateLimit_Reset": LATER}, 3, 60),
        ({"X_RateLimit_Remaining": "3", "X_RateLimit_Reset": "2027-01-15T08:01:00Z"}, 3, 60),
        ({"X_RateLimit_Remaining": "-2", "X_RateLimit_Reset": "5"}, 0, 5),
        ({"X_RateLimit_Remaining": "1.9", "X_RateLimit_Reset": "5"}, 1, 5),
        ({"X_RateLimit_Remaining": "1e300", "X_RateLimit_Reset": "5"}, 10**9, 5),
        ({"RateLimit": "limit=100, remaining=50, reset=5"}, 50, 5),
        ({"RateLimit": "limit=100;w=60, remaining=50, reset=5"}, 50, 5),
        ({"RateLimit": '"default";r=50;t=30'}, 50, 30),
        ({"RateLimit": '"default"; r=50; t=30; pk=:cHNkZjE=:'}, 50, 30),
        ({"RateLimit": '"daily";r=900;t=3600, "burst";r=5;t=1'}, 5, 1),
        ({"RateLimit": '"burst";r=5;t=1, "daily";r=2;t=3600'}, 2, 3600),
        ({"RateLimit": "burst;r=5;t=1, daily;r=2;t=3600"}, 2, 3600),
        ({"RateLimit": "daily;r=2;t=3600, burst;r=5;t=1"}, 2, 3600),
        ({"RateLimit": '"a";r=5;t=1, "b";r=2;t=9, "over";r=0;t=0'}, 2, 9),
        ({"RateLimit": '"none given", "burst";r=5;t=1'}, 5, 1),
        ({"RateLimit": '"odd;r=0;t=9";r=5;t=1'}, 5, 1),
        ({"RateLimit": r'"a \"quoted;r=0;t=9\" one";r=5;t=1'}, 5, 1),
        ({"RateLimit": '"a";r=5;t=1', "RateLimit_Remaining": "0", "RateLimit_Reset": "9"}, 5, 1),
        ({"RateLimit": "nonsense", "RateLimit_Remaining": "0", "RateLimit_Reset": "9"}, 0, 9),
    ],
)  # fmt: skip
def test_every_dialect_is_understood(headers: dict[str, str], left: int, seconds: float) -> None:
    assert heard(**headers) == Told(left, seconds)


@pytest.mark.parametrize("reset", ["1800000060", "1800000060000", LATER])
def test_a_moment_is_by_the_clock_of_the_server(reset: str) -> None:
    half_past = "Fri, 15 Jan 2027 08:00:30 GMT"
    found = heard(X_RateLimit_Remaining="3", X_RateLimit_Reset=reset, Date=half_past)
    assert found == Told(3, 30)


def test_seconds_from_now_are_by_no_clock() -> None:
    elsewhen = "Fri, 15 Jan 1999 08:00:30 GMT"
    assert heard(RateLimit_Remaining="3", RateLimit_Reset="9", Date=elsewhen) == Told(3, 9)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"RateLimit_Remaining": "7"},
        {"RateLimit_Reset": "7"},
        {"RateLimit_Limit": "100", "RateLimit_Policy": '"a";q=100;w=60'},
        {"RateLimit_Remaining": "many", "RateLimit_Reset": "30"},
        {"RateLimit_Remaining": "7", "RateLimit_Reset": "soon"},
        {"RateLimit_Remaining": "", "RateLimit_Reset": ""},
        {"RateLimit_Remaining": "nan", "RateLimit_Reset": "30"},
        {"RateLimit_Remaining": "inf", "RateLimit_Reset": "30"},
        {"RateLimit_Remaining": "7", "RateLimit_Reset": "0"},
        {"RateLimit_Remaining": "7", "RateLimit_Reset": "-5"},
        {"RateLimit_Remaining": "7", "RateLimit_Reset": "2764801"},
        {"RateLimit_Remaining": "7", "RateLimit_Reset": "1e400"},
        {"RateLimit_Remaining": "7", "RateLimit_Reset": "9" * 5000},
        {"X_RateLimit_Remaining": "7", "X_RateLimit_Reset": "1799999999"},
        {"X_RateLimit_Remaining": "7", "X_RateLimit_Reset": "Fri, 15 Jan 2027 07:00:00 GMT"},
        {"X_RateLimit_Remaining": "7", "X_RateLimit_Reset": "Fri, 31 Dec 9999 23:59:59 GMT"},
        {"RateLimit": '"default"'},
        {"RateLimit": '"default";r=5'},
        {"RateLimit": '"unclosed;r=5;t=1'},
        {"RateLimit": ";;,,=="},
    ],
)
def test_what_says_nothing_or_nonsense_is_nothing(headers: dict[str, str]) -> None:
    assert heard(**headers) is None


def test_a_quota_of_a_day_or_a_month_holds_calls_back_for_an_hour_at_once() -> None:
    for seconds in (LONGEST_TOLD, LONGEST_TOLD + 1, 86_400, 31 * 86_400):
        given = heard(RateLimit_Remaining="0", RateLimit_Reset=f"{seconds:.0f}")
        assert given == Told(0, LONGEST_TOLD)
