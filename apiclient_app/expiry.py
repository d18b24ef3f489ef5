"""Does this response mean that the token has expired?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

MISSING = object()

_PART = re.compile(
    r"""([\w!#$%&'*+.^`|~-]++) (\s*+=\s*+ (?:"((?:[^"\\]|\\.)*+)"? | ([^\s,]*+)))?""", re.VERBOSE
)


@dataclass(frozen=True, slots=True)
class ExpiryRule:
    """Status, body, header and error must all match; what is left out matches anything.

    `body` and `header` map a dotted path or a header name to the values that mean expiry; `error`
    has the codes that do in a Bearer challenge (RFC 6750 section 3.1).
    """

    status: frozenset[int] = frozenset({401})
    body: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    header: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    error: tuple[str, ...] = ()

    def __call__(self, response: Any) -> bool:
        if response.status_code not in self.status:
            return False
        if not all(_says(response.headers.get(n), v) for n, v in self.header.items()):
            return False
        if self.error and not self._challenged(response):
            return False
        return not self.body or self._body_matches(response)

    def _challenged(self, response: Any) -> bool:
        wanted = {code.lower() for code in self.error}
        challenges = response.headers.get("WWW-Authenticate") or ""
        return not wanted.isdisjoint(bearer_errors(challenges))

    def _body_matches(self, response: Any) -> bool:
        # A success that is being streamed belongs to the caller: reading it here would eat it.
        unread = not getattr(response, "_content_consumed", True)
        if unread and response.status_code < 400:
            return False
        try:
            document = response.json()
        except (ValueError, RecursionError):
            return False
        return all(at_path(document, path) in values for path, values in self.body.items())


@dataclass(frozen=True, slots=True)
class AnyRule:
    """Expired if any of `rules` says so."""

    rules: tuple[Callable[[Any], bool], ...]

    def __call__(self, response: Any) -> bool:
        return any(rule(response) for rule in self.rules)


def at_path(document: Any, path: str) -> Any:
    """Give what stands at a dotted path of a JSON document, or `MISSING`."""
    for name in path.split("."):
        if isinstance(document, Mapping) and name in document:
            document = document[name]
        elif isinstance(document, list) and name.isdecimal() and int(name) < len(document):
            document = document[int(name)]
        else:
            return MISSING
    return document


def _says(value: str | None, wanted: tuple[str, ...]) -> bool:
    return value is not None and any(text.lower() in value.lower() for text in wanted)


def bearer_errors(challenges: str) -> Iterator[str]:
    """Give the error codes of the Bearer challenges in a WWW-Authenticate header, in lower case.

    Challenges and their parameters are both parted by commas (RFC 9110 section 11.6.1): a word
    without a value names the scheme of those that follow.
    """
    scheme = ""
    for name, value, quoted, bare in _PART.findall(challenges):
        if not value:
            scheme = name.lower()
        elif scheme == "bearer" and name.lower() == "error":
            yield (re.sub(r"\\(.)", r"\1", quoted) or bare.strip("'")).lower()
