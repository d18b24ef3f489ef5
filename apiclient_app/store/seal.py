"""Sealing what goes into the cache, and marking what people may see."""

from __future__ import annotations

import hmac
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PREFIX = "1."
NONCE_BYTES = 12


class Unsealable(ValueError):
    """The text was not sealed for this place with any key we have."""


class Seal:
    """AES-GCM with keys from SECRET_KEY and its fallbacks: sealed with the first, read with any.

    Sealed text is ASCII and bound to its place, the cache key: moved to another, it is unreadable.
    """

    def __init__(self, secret_keys: Sequence[str]) -> None:
        self._ciphers = [AESGCM(_derived(key, b"seal")) for key in secret_keys]
        # The oldest: servers of an old and a new deployment must look under the same key.
        self._mark_key = _derived(secret_keys[-1], b"mark")

    def seal(self, text: str, place: str, like: str = "") -> str:
        """Seal a text: with the key of `like`, sealed for this place too, if it is one of ours."""
        cipher = self._ciphers[0]
        with suppress(Unsealable):
            _, cipher = self._opened(like, place, self._ciphers)
        nonce = os.urandom(NONCE_BYTES)
        sealed = nonce + cipher.encrypt(nonce, text.encode(), place.encode())
        return PREFIX + urlsafe_b64encode(sealed).decode()

    def open(self, sealed: Any, place: str) -> str:
        """Give the text sealed for `place`; Unsealable for anything else."""
        text, _ = self._opened(sealed, place, self._ciphers)
        return text

    def resealed(self, sealed: str, place: str) -> str | None:
        """Seal a text anew, with the first key; None where it is. Unsealable as for `open`."""
        with suppress(Unsealable):
            self._opened(sealed, place, self._ciphers[:1])
            return None
        return self.seal(self.open(sealed, place), place)

    def _opened(self, sealed: Any, place: str, ciphers: Sequence[AESGCM]) -> tuple[str, AESGCM]:
        if not isinstance(sealed, str) or not sealed.startswith(PREFIX):
            raise Unsealable("not a sealed text")
        try:
            raw = urlsafe_b64decode(sealed[len(PREFIX) :])
        except ValueError as error:
            raise Unsealable("not a sealed text") from error
        for cipher in ciphers:
            try:
                text = cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], place.encode())
                return text.decode(), cipher
            except (InvalidTag, ValueError):
                continue
        raise Unsealable("sealed with another key, or for another place")

    def mark(self, value: Any, length: int = 12) -> str:
        """Give hex digits that tell values apart and do not tell what they are."""
        text = json.dumps(value, sort_keys=True, separators=(",", ":"))
        return hmac.new(self._mark_key, text.encode(), sha256).hexdigest()[:length]


def _derived(secret_key: str, purpose: bytes) -> bytes:
    derivation = HKDF(SHA256(), 32, salt=None, info=b"apiclient_app " + purpose)
    return derivation.derive(str(secret_key).encode())
