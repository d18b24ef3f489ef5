"""A signature on every request, for APIs that know no token."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, ClassVar, Literal

from apiclient_app.exceptions import InvalidRequest
from apiclient_app.secret import Secret
from apiclient_app.tokens import Token

from .base import AuthBackend
from .messages import check_header

PIECE = 65_536


@dataclass(frozen=True, kw_only=True, repr=False)
class Signed(AuthBackend):
    """An HMAC over method, path with query, date and body digest, made anew for every send.

    As it is, it sends

        Date: Fri, 15 Jan 2027 08:00:00 GMT
        Content-Digest: sha-256=:X48E9q…:
        Authorization: HMAC-SHA256 key_id="…", signature="…"

    APIs differ; override what yours has otherwise:

        class Exchange(Signed):
            date_header = "X-Timestamp"
            digest_header = "X-Body-Hash"

            def date(self, now):
                return str(int(now * 1000))

            def string_to_sign(self, request, date, digest):
                return f"{date}{request.method}{request.path_url}{digest}"
    """

    key_id: str
    secret: Secret[str]
    algorithm: Literal["sha256", "sha384", "sha512"] = "sha256"

    date_header: ClassVar[str] = "Date"
    digest_header: ClassVar[str] = "Content-Digest"
    authorization_header: ClassVar[str] = "Authorization"

    def __post_init__(self) -> None:
        check_header(self.authorization_header, self.authorization(b"signature"))

    def date(self, now: float) -> str:
        """Write epoch seconds as the API wants them."""
        return formatdate(now, usegmt=True)

    def digest(self, body: bytes) -> str:
        """Write the digest of the body as the API wants it (here: RFC 9530)."""
        return f"sha-{self.algorithm[3:]}=:{b64encode(body).decode()}:"

    def string_to_sign(self, request: Any, date: str, digest: str) -> str:
        """Give what is signed of a `requests.PreparedRequest`."""
        return f"{request.method}\n{request.path_url}\n{date}\n{digest}"

    def signing_key(self, date: str) -> bytes:
        """Give the key: the secret as it is, unless the API derives or encodes it."""
        return self.secret.reveal().encode()

    def authorization(self, signature: bytes) -> str:
        """Write the signature, and whose it is."""
        text = b64encode(signature).decode()
        return f'HMAC-{self.algorithm.upper()} key_id="{self.key_id}", signature="{text}"'

    def sign(self, request: Any, token: Token | None) -> None:
        date = self.date(self.now)
        digest = self.digest(_digest(request.body, self.algorithm))
        text = self.string_to_sign(request, date, digest).encode()
        signature = hmac.digest(self.signing_key(date), text, self.algorithm)
        request.headers[self.date_header] = date
        request.headers[self.digest_header] = digest
        request.headers[self.authorization_header] = self.authorization(signature)


def _digest(body: Any, algorithm: str) -> bytes:
    """Give the digest of what will be sent; a file is read from where it stands, and put back."""
    digest = hashlib.new(algorithm)
    if isinstance(body, str | bytes | bytearray | None):
        digest.update(_bytes(body or b""))
        return digest.digest()
    start = _position(body)
    if start is None:
        raise InvalidRequest(
            "The auth backend signs the body, and this one can be read only once; nothing was "
            "sent. Give bytes, or a file that can seek."
        )
    while piece := body.read(PIECE):
        digest.update(_bytes(piece))
    body.seek(start)
    return digest.digest()


def _position(body: Any) -> int | None:
    """Give where a file stands; None for what cannot go back there."""
    try:
        start: int = body.tell()
        body.seek(start)
    except (AttributeError, OSError, ValueError):
        return None
    return start if hasattr(body, "read") else None


def _bytes(text: str | bytes | bytearray) -> bytes | bytearray:
    return text.encode() if isinstance(text, str) else text
