"""A token's record: its windows, its order among others, and what may be seen of it."""

import json
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiclient_app.secret import Secret
from apiclient_app.tokens import Inspection, Token, TokenState, moment, new_token

LIVES = st.floats(min_value=0.1, max_value=3e8)
SHARES = st.floats(min_value=0, max_value=1)


def made(life: float = 3600.0, jitter: float = 0.0, **more: Any) -> Token:
    headers = more.pop("headers", {"Authorization": Secret("Bearer hunter2")})
    times = {"sent_at": 1000.0, "obtained_at": 1001.0, **more}
    return new_token(headers, life=life, jitter=jitter, **times)


@pytest.mark.parametrize(
    ("life", "stale", "leeway"),
    [(3600, 300, 30), (1000, 200, 30), (100, 20, 5), (10, 2, 0.5), (1, 0.2, 0.05)],
)
def test_windows_shrink_with_a_short_life(life: float, stale: float, leeway: float) -> None:
    token = made(life)
    assert token.expires_at == 1000 + life
    assert token.expires_at - token.renew_at == pytest.approx(stale)
    assert token.expires_at - token.usable_until == pytest.approx(leeway)


def test_life_counts_from_before_the_request() -> None:
    assert made(60, sent_at=1000.0, obtained_at=1009.0).expires_at == 1060


def test_a_fleet_does_not_renew_at_one_moment() -> None:
    assert made(3600, jitter=0).renew_at == 1000 + 3600 - 300
    assert made(3600, jitter=1).renew_at == 1000 + 3600 - 240


@given(LIVES, SHARES, LIVES)
def test_every_token_is_fresh_then_stale_then_expired(
    life: float, jitter: float, later: float
) -> None:
    token = made(life, jitter)
    assert 1000 < token.renew_at < token.usable_until < token.expires_at
    order = [TokenState.FRESH, TokenState.STALE, TokenState.EXPIRED]
    seen = [
        token.state(now)
        for now in (1000.0, token.renew_at, token.usable_until, token.expires_at, 1000 + later)
    ]
    assert seen[:4] == [*order, TokenState.EXPIRED]
    assert token.state(1000 + later) in order


@given(st.integers(min_value=0, max_value=10**15), st.floats(min_value=0, max_value=10**10))
def test_a_later_record_replaces_whatever_the_clocks_say(after: int, now: float) -> None:
    before = made(obtained_at=now)
    later = made(obtained_at=now - 1e6, after=max(after, before.generation))
    assert later.replaces(before)
    assert not before.replaces(later)
    assert not before.replaces(before)
    assert before.replaces(None)


def test_ids_do_not_repeat() -> None:
    assert len({made().id for _ in range(1000)}) == 1000


def test_no_representation_of_a_token_shows_it() -> None:
    token = made()
    assert "hunter2" not in f"{token!r} {token} {token.headers}"
    with pytest.raises(TypeError):
        pickle.dumps(token)


def test_a_token_reveals_the_header_and_the_bare_token_for_redaction() -> None:
    assert made().revealed() == ["Bearer hunter2", "hunter2"]
    assert made(headers={"X-API-Key": Secret("hunter2")}).revealed() == ["hunter2"]


@given(LIVES, SHARES, st.text(), st.text())
def test_what_was_dumped_is_loaded(life: float, jitter: float, scope: str, text: str) -> None:
    token = made(life, jitter, scope=scope, headers={"X": Secret(text)}, fingerprint="ab")
    assert Token.load(token.dump()) == token


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(JSON)
def test_anything_else_is_no_token_record(document: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        Token.load(json.dumps(document))


@given(st.sampled_from(sorted(json.loads(made().dump()))), JSON)
def test_a_record_with_one_odd_field_is_read_or_refused(name: str, value: Any) -> None:
    plain = {**json.loads(made().dump()), name: value}
    try:
        Token.load(json.dumps(plain))
    except ValueError:
        return


@pytest.mark.parametrize("name", sorted(json.loads(made().dump())))
def test_a_record_with_a_missing_field_is_refused(name: str) -> None:
    plain = json.loads(made().dump())
    del plain[name]
    with pytest.raises(ValueError, match="not a token record"):
        Token.load(json.dumps(plain))


def test_an_inspection_is_json() -> None:
    seen = Inspection(alias="github", state=TokenState.FRESH, obtained_at=moment(0.0))
    plain = json.loads(json.dumps(seen.as_dict()))
    assert plain["state"] == "fresh"
    assert plain["obtained_at"] == "1970-01-01T00:00:00+00:00"
    assert plain["expires_at"] is None


def test_moments_are_aware() -> None:
    assert moment(0.5) == datetime(1970, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    assert moment(None) is None
