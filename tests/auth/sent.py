"""What a token request says, read as its receiver would."""

from typing import Any
from urllib.parse import parse_qs

import jwt

from apiclient_app.auth import TokenRequest

from .keys import KINDS, public_pem

URL = "https://id.example/token"
SHARED = "a secret of 64 bytes, which is as long as HS512 wants it to be!!!"


def fields(request: TokenRequest | None) -> dict[str, str]:
    """Give the fields of its form, each of which is there once."""
    assert request is not None
    found = parse_qs(request.content[0].decode(), keep_blank_values=True)
    return {name: value for name, (value,) in found.items()}


def claims(
    assertion: str, algorithm: str = "ES256", *, kind: str = "", audience: str = URL
) -> dict[str, Any]:
    """Give what an assertion says, verified but for its times, which are those of a test."""
    shared = algorithm.startswith("HS")
    verifier = SHARED if shared else public_pem(kind or KINDS[algorithm])
    options: Any = {"verify_exp": False, "verify_iat": False}
    return dict(jwt.decode(assertion, verifier, [algorithm], audience=audience, options=options))
