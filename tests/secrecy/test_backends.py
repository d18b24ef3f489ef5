"""Auth backends of users' own are as secret as ours."""

from typing import Any

import pytest

from .canaries import HEADER_TAIL
from .conftest import Scene
from .holders import oauth, refreshing
from .own import FailsToAsk, FailsToRead, OfEach, QuotesWhatItReads, backend
from .parrot import SPEECHES, Parrot
from .witnesses import Call

ORDERS: dict[str, Call] = {
    "rotate": lambda client: client.rotate_token(),
    "get": lambda client: client.get("echo"),
    "switch": lambda client: client.switch_credentials(),
}


@pytest.mark.parametrize("kind", [FailsToAsk, FailsToRead, QuotesWhatItReads])
@pytest.mark.parametrize("speech", ["api 404", "description"])
def test_one_that_fails(
    scene: Scene, configured: Any, parrot: Parrot, kind: type, speech: str
) -> None:
    parrot.speech = speech
    own = backend(kind, refreshing(parrot.origin, scene.canaries))
    client = configured("refreshing", parrot.origin, **own)
    for _ in range(6):
        client.store_refresh_token(scene.canaries.hatch("stored refresh token", tail=HEADER_TAIL))
        assert len(scene.attempt(client, ORDERS)) == len(ORDERS)
        scene.hear([("inspection", repr(client.inspect()))])
    assert scene.all_leaks() == []


@pytest.mark.parametrize("speech", SPEECHES)
def test_one_whose_subjects_have_secrets_of_their_own(
    scene: Scene, configured: Any, parrot: Parrot, monkeypatch: pytest.MonkeyPatch, speech: str
) -> None:
    monkeypatch.setattr(OfEach, "canaries", scene.canaries, raising=False)
    own = backend(OfEach, oauth(parrot.origin, scene.canaries, client_auth="client_secret_post"))
    client = configured("oauth", parrot.origin, **own).for_subject("user-42")
    parrot.speech = speech
    for _ in range(8):
        scene.attempt(client, ORDERS)
        scene.hear([("inspection", repr(client.inspect()))])
    assert parrot.repeated >= 8
    assert scene.all_leaks() == []
