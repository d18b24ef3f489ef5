"""Does this response mean that the token has expired?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

MISSING = object()


@dataclass(frozen=True, slots=True)
class ExpiryRule:
    """Status, body and header must all match; what is left out matches anything.

    `body` and `header` map a dotted path or a header name to the values that mean expiry.
    """

    status: frozenset[int] = frozenset({401})
    body: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    header: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __call__(self, response: Any) -> bool:
        if response.status_code not in self.status:
            return False
        if not all(_says(response.headers.get(n), v) for n, v in self.header.items()):
            return False
        return not self.body or self._body_matches(response)

    def _body_matches(self, response: Any) -> bool:
        # A success that is being streamed belongs to the caller: reading it here would eat it.
        unread = not getattr(response, "_content_consumed", True)
        if unread and response.status_code < 400:
            return False
        try:
            document = response.json()
        except ValueError:
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
