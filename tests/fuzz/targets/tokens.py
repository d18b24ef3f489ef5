"""Replies of token endpoints, to each backend that asks for tokens."""

from __future__ import annotations

from math import isfinite
from typing import Any

from apiclient_app.auth import (
    AuthBackend,
    ClientCredentials,
    Grant,
    JWTBearer,
    Login,
    Password,
    RefreshToken,
    Reply,
    Secret,
)
from apiclient_app.auth.messages import ABSURD_SECONDS
from apiclient_app.exceptions import TokenError
from apiclient_app.records import Failure, next_failure
from apiclient_app.tokens import Token, moment, new_token
from tests.auth.keys import pem
from tests.fuzz.messages import message

NOW = 1_800_000_000.0  # Fri, 15 Jan 2027 08:00:00 GMT
URLS: dict[str, Any] = {"token_url": "https://api.example/token"}
CLIENT: dict[str, Any] = {**URLS, "client_id": "app", "client_secret": Secret("s")}
NESTED: dict[str, Any] = {"token_path": "data.0.token", "refresh_token_path": "data.0.refresh"}
LOGIN: dict[str, Any] = {"login_url": "https://api.example/in", "credentials": Secret({"u": "u"})}
BACKENDS: tuple[AuthBackend, ...] = (
    ClientCredentials(**CLIENT, scope="asked", expires_unit="datetime"),
    RefreshToken(**CLIENT),
    Password(**CLIENT, username="u", password=Secret("p"), expires_unit="milliseconds", **NESTED),
    JWTBearer(
        **URLS, issuer="i", subject="s", private_key=pem("ed25519"), algorithm="EdDSA",
        expires_path="expires_on", expires_unit="epoch",
    ),
    Login(**LOGIN, header="X-Key", prefix="", refresh_url="https://api.example/refresh"),
)  # fmt: skip
LONGEST_TEXT = 10_000  # people are shown much less, but only after redaction


def token_reply(data: bytes) -> None:
    """A grant that can be used and kept, or an error of ours that can be shown and kept."""
    said = message(data)
    headers = {name.lower(): value for name, value in said.headers.items()}
    reply = Reply(said.status, headers, said.body, received_at=NOW, sent_at=NOW - 1)
    assert isfinite(reply.offset)
    for backend in BACKENDS:
        found = backend.refresh_token_in(reply)
        assert found is None or found.reveal().strip()
        try:
            grant = backend.read(reply)
        except TokenError as error:
            _shown(error)
        except ValueError as error:
            assert str(error).startswith("the value for header ")
        else:
            assert said.status < 300
            _kept(grant, reply.offset)


def _shown(error: TokenError) -> None:
    text = f"{error}{error.error}"
    assert text.isprintable()
    assert len(text) < LONGEST_TEXT
    failure = next_failure(
        None,
        error=error.error,
        description=str(error),
        terminal=False,
        now=NOW,
        jitter=0.5,
        retry_after=getattr(error, "retry_after", None),
    )
    assert NOW < failure.until < NOW + 4000
    assert Failure.load(failure.dump()) == failure


def _kept(grant: Grant, offset: float) -> None:
    assert grant.life is not None
    assert 0 < grant.life < ABSURD_SECONDS
    for secret in grant.headers.values():
        assert secret.reveal().isascii()
        assert secret.reveal().isprintable()
    refresh_token = grant.refresh_token
    assert refresh_token is None or refresh_token.reveal().encode().strip()
    token = new_token(
        grant.headers, sent_at=NOW, obtained_at=NOW, life=grant.life, scope=grant.scope
    )
    assert Token.load(token.dump()) == token
    # As another machine reads it, which has yet to learn how far the provider's clock is off.
    assert moment(token.shifted(offset).expires_at) is not None
