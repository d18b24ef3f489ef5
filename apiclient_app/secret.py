"""Secrets that cannot be shown by accident, and the redaction of text that may hold them."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, NoReturn, TypeVar
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit, urlunsplit

T = TypeVar("T")

MASK = "***"
HALF = 8  # characters of a secret that are too many
CUT = "\u2026\ufffd"  # what a text ends with that was cut off: an ellipsis, half a character

SENSITIVE_NAME = re.compile(
    r"auth|token|secret|pass|pwd|key|sign|^sig$|cookie|session|credential|assertion|^code$|^jwt$",
    re.IGNORECASE,
)

# One try a word, possessive: an error page of one long word must not cost a second of time.
_PAIR = re.compile(
    r"""(?ix)
    (?<![\w.-])
    ((?=[\w.-]*(?:token|secret|passw|passphrase|pwd|api.?key|assertion|authorization|cookie|jwt))
    (?:api\s)?[\w.-]++ \\?["']? \s*+ [:=] \s*+)
    (?: \\?"(?:[^"\\]|\\.)*+"? | \\?'(?:[^'\\]|\\.)*+'?
      | (?:(?:bearer|basic|digest|token)\s++)? [^\s&,;"'<>}]++ )"""
)
# Words follow "token" in prose too; a credential is long, or has a digit or a sign in it.
_SCHEME = re.compile(
    r"(?i)\b(bearer|basic|token)(\s+)(?:[\w.~+/=-]{20,}|(?=[\w.~+/=-]*[\d=+/~_])[\w.~+/=-]{6,})"
)

_QUERY = re.compile(r"\?[^\s'\")>]+")
# Their texts are what the server sent, cut anywhere and escaped once or twice.
_QUOTING = re.compile(r"\b(BadStatusLine|InvalidChunkLength|UnknownProtocol)\(.*", re.DOTALL)


class Secret(Generic[T]):
    """A value that only `reveal()` shows.

    repr, str, format, logging and comparison errors show a mask; pickling raises TypeError.
    """

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = self._value, other._value
        if isinstance(mine, str) and isinstance(theirs, str):
            return hmac.compare_digest(mine.encode(), theirs.encode())
        return bool(mine == theirs)

    def __hash__(self) -> int:
        return hash((Secret, repr(self._value)))

    def __copy__(self) -> Secret[T]:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret[T]:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret is never pickled; pass the alias and look it up there")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Give `text` without the secrets named, also one it was cut off in, and without what looks
    like one."""
    spellings = sorted(_spellings(secrets), key=len, reverse=True)
    for secret in spellings:
        text = text.replace(secret, MASK)
    for secret in spellings:
        text = _without_half(text, secret)
    text = _PAIR.sub(rf"\1{MASK}", text)
    return _SCHEME.sub(rf"\1\2{MASK}", text)


def _without_half(text: str, secret: str) -> str:
    """Give `text` without the beginning of a secret at its very end."""
    whole = text.rstrip(CUT)
    start = whole.find(secret[:HALF], max(0, len(whole) - len(secret)))
    while start >= 0 and len(secret) > HALF:
        if secret.startswith(whole[start:]):
            return whole[:start] + MASK
        start = whole.find(secret[:HALF], start + 1)
    return text


def without_queries(text: str, secrets: Iterable[str] = ()) -> str:
    """Redact, and drop what HTTP libraries quote in ways of their own: the queries of URLs, and
    what a server sent instead of HTTP."""
    text = _QUOTING.sub(rf"\1({MASK})", text)
    return _QUERY.sub(rf"?{MASK}", redact(text, secrets))


def _spellings(secrets: Iterable[str]) -> set[str]:
    """Give each secret as servers echo it (plain, form-encoded, percent-encoded, in JSON), and as
    HTTP libraries quote what servers said (as Latin-1, as Python's repr)."""
    found: set[str] = set()
    for secret in secrets:
        if len(secret) > 2:
            found |= {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
            found |= {secret.encode("utf-8", "replace").decode("latin-1")}
    return found | {text for spelling in found for text in _quoted(spelling)}


def _quoted(text: str) -> Iterator[str]:
    """Give `text` as it stands within the repr of a longer text, or of bytes."""
    for escaped in (repr(f'{text}"')[1:-2], repr(text.encode("utf-8", "replace") + b'"')[2:-2]):
        yield escaped
        yield escaped.replace("'", "\\'") if "\\'" not in escaped else escaped


def mask_url(url: str, secrets: Iterable[str] = ()) -> str:
    """Give `url` without user information, fragment, and the values of secret query fields."""
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return "(unreadable URL)"
    query = urlencode(
        [(name, MASK if SENSITIVE_NAME.search(name) else value) for name, value in pairs],
        safe="*",
    )
    host = parts.netloc.rpartition("@")[2]
    masked = urlunsplit((parts.scheme, host, parts.path, query, ""))
    for secret in sorted(_spellings(secrets), key=len, reverse=True):
        masked = masked.replace(secret, MASK)
    return masked


def one_line(text: str, limit: int = 200) -> str:
    """Give `text` as one printable line of at most `limit` characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: limit * 4]).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def scrubbed(error: BaseException, clean: Callable[[str], str] = redact) -> BaseException:
    """Give a stand-in for a foreign exception that can be chained without showing a secret.

    Same class, redacted text, and neither traceback, chain nor attributes: error reports print
    the local variables of every frame, and those of an HTTP library hold the headers it sent.
    """
    text = one_line(clean(f"{error}"), 300)
    kind = type(error)
    try:
        stand_in: BaseException = kind(text)
    except Exception:  # noqa: BLE001  # an exception class with a signature of its own
        stand_in = RuntimeError(f"{kind.__module__}.{kind.__qualname__}: {text}")
    return stand_in
