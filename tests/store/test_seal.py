"""What is in the cache tells nobody anything, and is believed only where it was put."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiclient_app.store.seal import PREFIX, Seal, Unsealable

SEAL = Seal(["today"])
PLACE = "apiclient:1:shop::f1:token"


@given(st.text(), st.text())
def test_what_was_sealed_is_opened_at_its_place(text: str, place: str) -> None:
    sealed = SEAL.seal(text, place)
    assert sealed.isascii()
    assert SEAL.open(sealed, place) == text


def test_sealed_text_shows_nothing_and_is_never_the_same_twice() -> None:
    one, two = SEAL.seal("hunter2", PLACE), SEAL.seal("hunter2", PLACE)
    assert "hunter2" not in one
    assert one != two


def test_moved_to_another_place_it_is_unreadable() -> None:
    with pytest.raises(Unsealable):
        SEAL.open(SEAL.seal("hunter2", PLACE), PLACE.replace("shop", "bank"))


@given(st.data())
def test_tampered_with_it_is_unreadable(data: st.DataObject) -> None:
    sealed = SEAL.seal("hunter2", PLACE)
    at = data.draw(st.integers(0, len(sealed) - 1))
    letter = data.draw(st.characters(codec="ascii").filter(lambda c: c != sealed[at]))
    tampered = sealed[:at] + letter + sealed[at + 1 :]
    try:
        opened = SEAL.open(tampered, PLACE)
    except Unsealable:
        return
    # Base64 has spare bits at its end, and skips what is not of its alphabet.
    assert opened == "hunter2"


@given(st.binary() | st.text() | st.integers() | st.none() | st.text().map(PREFIX.__add__))
def test_garbage_is_unreadable(garbage: object) -> None:
    with pytest.raises(Unsealable):
        SEAL.open(garbage, PLACE)


@pytest.mark.parametrize("sealed", [PREFIX, f"{PREFIX}AAAA", f"{PREFIX}A", f"2.{'A' * 80}", "ü"])
def test_a_stump_is_unreadable(sealed: str) -> None:
    with pytest.raises(Unsealable):
        SEAL.open(sealed, PLACE)


def test_a_rotated_key_opens_what_the_old_one_sealed_and_seals_with_the_new() -> None:
    old, rotated, after = Seal(["old"]), Seal(["new", "old"]), Seal(["new"])
    assert rotated.open(old.seal("hunter2", PLACE), PLACE) == "hunter2"
    assert after.open(rotated.seal("hunter2", PLACE), PLACE) == "hunter2"
    for sealed, reader in [(rotated, old), (old, after)]:
        with pytest.raises(Unsealable):
            reader.open(sealed.seal("hunter2", PLACE), PLACE)


def test_a_text_can_be_sealed_with_the_key_of_another() -> None:
    old, rotated = Seal(["old"]), Seal(["new", "old"])
    like = old.seal("hunter1", PLACE)
    assert old.open(rotated.seal("hunter2", PLACE, like=like), PLACE) == "hunter2"
    for other in ("", "garbage", old.seal("hunter1", "elsewhere")):
        assert Seal(["new"]).open(rotated.seal("hunter2", PLACE, like=other), PLACE) == "hunter2"


def test_old_and_new_servers_of_a_rotation_look_under_the_same_key() -> None:
    assert Seal(["new", "old"]).mark(["shop", "id"]) == Seal(["old"]).mark(["shop", "id"])
    assert Seal(["new"]).mark(["shop", "id"]) != Seal(["old"]).mark(["shop", "id"])


def test_a_mark_tells_values_apart_and_nothing_more() -> None:
    mark = SEAL.mark({"a": 1, "secret": "hunter2"})
    assert mark == SEAL.mark({"secret": "hunter2", "a": 1})
    assert mark != SEAL.mark({"a": 1, "secret": "hunter3"})
    assert len(mark) == 12
    assert int(mark, 16) >= 0
    assert len(SEAL.mark("x", 32)) == 32
