"""When a circuit opens, how long it stays so, and what is kept of it."""

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apiclient_app.guard.circuit import LONGEST_FACTOR, Breaker, Circuit, Score

NOW = 1_800_000_000.0
BREAKER = Breaker(failures=4, share=0.5, window=30.0, pause=10.0)
MOMENTS = st.floats(0, 4e9)


def opens(score: Score, *outcomes: str, since: float = NOW, every: float = 0.0) -> list[bool]:
    """Give what is said of each call: "+" or "-" for each that went well or failed."""
    calls = "".join(outcomes)
    return [score.add(since + n * every, failed=call == "-") for n, call in enumerate(calls)]


def test_so_many_failures_open_it() -> None:
    assert opens(Score(BREAKER), "----") == [False, False, False, True]


def test_fewer_never_do_whatever_their_share() -> None:
    assert not any(opens(Score(BREAKER), "---"))


def test_a_smaller_share_does_not_however_many_there_are() -> None:
    assert not any(opens(Score(BREAKER), "++-" * 50))


def test_the_share_is_of_all_calls_of_the_window() -> None:
    assert opens(Score(BREAKER), "++++---", "-")[-2:] == [False, True]
    assert opens(Score(BREAKER), "+++++---", "-")[-1] is False


@given(st.lists(st.tuples(st.floats(-40, 40), st.booleans()), max_size=60))
def test_a_call_that_goes_well_never_opens_it(calls: list[tuple[float, bool]]) -> None:
    score, now = Score(Breaker(failures=1, share=0.01)), NOW
    for seconds, failed in calls:
        now += seconds
        opened = score.add(now, failed)
        assert failed or not opened
        assert opened or not failed


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 40), st.booleans()), max_size=60))
def test_no_call_older_than_the_window_counts(calls: list[tuple[float, bool]]) -> None:
    score, now, failures = Score(BREAKER), NOW, list[float]()
    for seconds, failed in calls:
        now += seconds
        failures = [at for at in failures if now - at <= BREAKER.window] + [now] * failed
        if score.add(now, failed):
            assert len(failures) >= BREAKER.failures


@given(st.lists(st.floats(0, 4), min_size=4, max_size=4))
def test_every_call_of_half_a_window_counts(pauses: list[float]) -> None:
    score, now = Score(BREAKER), NOW
    opened = False
    for seconds in pauses:
        now += seconds
        opened = score.add(now, failed=True)
    # At most twelve seconds lie between the first and the last.
    assert opened


def test_failures_that_come_slowly_never_add_up() -> None:
    assert not any(opens(Score(BREAKER), "-" * 50, every=BREAKER.window / 2))


def test_a_clock_that_is_set_back_begins_anew() -> None:
    score = Score(BREAKER)
    opens(score, "---")
    assert not score.add(NOW - 3600, failed=True)
    assert opens(score, "---", since=NOW - 3600)[-1]


def test_what_is_cleared_is_forgotten() -> None:
    score = Score(BREAKER)
    opens(score, "---")
    score.clear()
    assert not any(opens(score, "---"))


def test_an_open_one_is_tried_when_its_pause_is_over() -> None:
    circuit = Circuit(NOW, NOW + 10)
    assert [circuit.state(NOW + s) for s in (0, 9.9, 10, 1e6)] == [
        "open",
        "open",
        "half-open",
        "half-open",
    ]


def test_one_opened_by_hand_stays_so() -> None:
    circuit = Circuit(NOW, inf)
    assert circuit.by_hand
    assert circuit.state(NOW + 1e12) == "open"
    assert not Circuit(NOW, NOW + 10).by_hand


def test_each_failed_probe_doubles_the_pause_up_to_sixteen_times() -> None:
    circuit, pauses = Circuit(NOW, NOW + 10), []
    for _ in range(7):
        circuit = circuit.failed_again(BREAKER, NOW)
        pauses.append(circuit.until - NOW)
    assert pauses == [20, 40, 80, 160, 160, 160, 160]
    assert circuit.at == NOW


@given(st.integers(0, 2**63 - 1), st.floats(0.1, 3600))
def test_no_count_makes_a_pause_without_end(count: int, pause: float) -> None:
    again = Circuit(NOW, NOW, count).failed_again(Breaker(pause=pause), NOW)
    assert NOW < again.until <= NOW + pause * LONGEST_FACTOR + 1e-6
    assert again.count == count + 1


@given(MOMENTS, MOMENTS | st.just(inf), st.integers(0, 2**63 - 1))
def test_what_is_kept_is_read_back(at: float, until: float, count: int) -> None:
    circuit = Circuit(at, until, count)
    assert Circuit.load(circuit.dump()) == circuit
    assert "Infinity" not in circuit.dump()


@pytest.mark.parametrize(
    "kept",
    [
        "", "null", "7", "{}", "[]", "[1, 2]", "[1, 2, 3, 4]", '["1", 2, 1]', '[1, "2", 1]',
        "[1, 2, 1.5]", "[null, 2, 1]", "[1, 2, null]", "[1, NaN, 1]", "[1, Infinity, 1]",
        "[1e400, 2, 1]", "[1, 2, -1]", "[1, 2, Infinity]", "[true, 2, 1]", "[1, 2, true]",
        "[" * 100_000, f"[1, {'9' * 5000}, 1]", f"[1, 2, {'9' * 4000}]", f"[{'9' * 400}, 2, 1]",
    ],
    ids=lambda kept: kept[:20],
)  # fmt: skip
def test_anything_else_is_no_circuit(kept: str) -> None:
    with pytest.raises(ValueError, match="no circuit"):
        Circuit.load(kept)
