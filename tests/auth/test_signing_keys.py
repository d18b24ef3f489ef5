"""Keys are examined when a backend is built, and told without being shown."""

from typing import Any

import pytest

from apiclient_app.auth import ClientCredentials
from apiclient_app.auth.options import build

from .keys import pem, public_pem
from .sent import SHARED, URL

GIVEN = {"token_url": URL, "client_id": "app"}
BODY = "".join(pem("p256").reveal().splitlines()[1:-1])  # what must not be shown of a key
MISTAKES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "no key": ({}, "missing", "private_key", "Add 'private_key'."),
    "key of None": ({"private_key": None}, "missing", "private_key", "Add"),
    "garbage": ({"private_key": f"hunter2{BODY}"}, "wrong", "private_key", "in PEM"),
    "no PEM": ({"private_key": BODY}, "wrong", "private_key", "in PEM"),
    "cut off": ({"private_key": pem("rsa").reveal()[:800]}, "wrong", "private_key", "in PEM"),
    "encrypted": (
        {"private_key": pem("p256", passphrase=b"hunter2").reveal()},
        "wrong",
        "private_key",
        "not encrypted",
    ),
    "public": ({"private_key": public_pem("rsa")}, "wrong", "private_key", "in PEM"),
    "short": ({"private_key": pem("rsa1024").reveal()}, "wrong", "private_key", "2048 bits"),
    "EC for RSA": ({"private_key": pem("p256").reveal()}, "wrong", "private_key", "an RSA key"),
    "RSA for EC": (
        {"private_key": pem("rsa").reveal(), "algorithm": "ES256"},
        "wrong",
        "private_key",
        "curve secp256r1",
    ),
    "wrong curve": (
        {"private_key": pem("p256").reveal(), "algorithm": "ES384"},
        "wrong",
        "private_key",
        "curve secp384r1",
    ),
    "EC for Ed": (
        {"private_key": pem("p256").reveal(), "algorithm": "EdDSA"},
        "wrong",
        "private_key",
        "Ed25519",
    ),
    "HS for a key": (
        {"private_key": pem("rsa").reveal(), "algorithm": "HS256"},
        "wrong",
        "algorithm",
        "no private key",
    ),
    "unknown algorithm": (
        {"private_key": pem("rsa").reveal(), "algorithm": "none"},
        "wrong",
        "algorithm",
        "one of 'RS256'",
    ),
    "no secret": ({"client_auth": "client_secret_jwt"}, "missing", "client_secret", "Add"),
    "short secret": (
        {"client_auth": "client_secret_jwt", "client_secret": "hunter2"},
        "wrong",
        "client_secret",
        "32 bytes",
    ),
    "short for HS512": (
        {"client_auth": "client_secret_jwt", "client_secret": SHARED[:63], "algorithm": "HS512"},
        "wrong",
        "client_secret",
        "64 bytes",
    ),
    "key as secret": (
        {"client_auth": "client_secret_jwt", "client_secret": public_pem("p256")},
        "wrong",
        "client_secret",
        "is no client secret",
    ),
    "RS for a secret": (
        {"client_auth": "client_secret_jwt", "client_secret": SHARED, "algorithm": "RS256"},
        "wrong",
        "algorithm",
        "HS256, HS384, HS512",
    ),
}


@pytest.mark.parametrize(("options", "kind", "option", "remedy"), MISTAKES.values(), ids=MISTAKES)
def test_a_key_that_cannot_sign_is_told_before_it_is_needed(
    options: dict[str, Any], kind: str, option: str, remedy: str
) -> None:
    given = {**GIVEN, "client_auth": "private_key_jwt", **options}
    backend, (problem,) = build(ClientCredentials, given)
    assert backend is None
    assert (problem.kind, problem.option) == (kind, option)
    assert remedy in problem.remedy
    assert "hunter2" not in repr(problem)
    assert BODY[:20] not in repr(problem)
