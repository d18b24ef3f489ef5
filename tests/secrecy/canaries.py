"""Secrets that sing where they do not belong."""

import secrets
from base64 import b64encode
from collections.abc import Iterator

TAIL = "+/=%:é\"' &"  # is spelled differently in a URL, a form, JSON, HTML and a repr
HEADER_TAIL = "+/=%:\"'&"
KNOWN_BY = 8  # this much of a secret is a leak, so that a shortened text can be one
# No hexadecimal digits: eight of those are found by chance among the addresses in 20 MB of logs.
LETTERS = "ghjkmnpqrtvwxyzGHJKMNPQRTVWXYZ"


class Canaries:
    """Makes secrets and finds them again: whole or cut off, and in whatever spelling."""

    def __init__(self) -> None:
        self._needles: dict[str, set[str]] = {}

    def hatch(self, name: str, *, tail: str = TAIL) -> str:
        """Make a secret; more than one may have the same name."""
        text = "".join(secrets.choice(LETTERS) for _ in range(20)) + tail
        self.know(name, text)
        return text

    def know(self, name: str, text: str) -> None:
        """Find a secret that was made elsewhere, by its beginning."""
        start = text[:KNOWN_BY]
        self._needles.setdefault(name, set()).update({start, *in_base64(start)})

    def heard_in(self, text: str | bytes) -> list[str]:
        """Give the names of those that can be found in it."""
        plain = text.decode("latin-1") if isinstance(text, bytes) else text
        return sorted(
            name
            for name, needles in self._needles.items()
            if any(needle in plain for needle in needles)
        )


def in_base64(text: str) -> Iterator[str]:
    """Give what a text becomes in base64, wherever it stands in what is encoded."""
    for before in range(3):
        encoded = b64encode(b"\0" * before + text.encode()).decode().rstrip("=")
        # The characters at both ends hold bits of the neighbours too.
        yield encoded[-(-before * 8 // 6) : -1]
