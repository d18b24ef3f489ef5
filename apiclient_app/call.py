"""One call among many: what `map` takes beside plain paths."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .exceptions import InvalidRequest

NONE: Mapping[str, Any] = MappingProxyType({})


class Call:
    """A call to make: the arguments of `client.request`, and a `tag` of yours to know it by.

    The response has it as `response.call`, and so has an error as `error.call`.
    """

    __slots__ = ("kwargs", "method", "path", "tag")

    def __init__(self, method: str, path: str, *, tag: Any = None, **kwargs: Any) -> None:
        self.method, self.path, self.tag = method, path, tag
        self.kwargs: Mapping[str, Any] = MappingProxyType(kwargs) if kwargs else NONE

    def __repr__(self) -> str:
        tag = "" if self.tag is None else f" tag={self.tag!r}"
        return f"<Call {self.method}{tag}>"  # not the path: there may be a secret in it

    @classmethod
    def of(cls, given: object) -> Call:
        """Give the call for a path, for `(method, path)`, or for a Call; raises InvalidRequest."""
        if isinstance(given, Call):
            return given
        if isinstance(given, str):
            return cls("GET", given)
        if isinstance(given, tuple | list) and [type(part) for part in given] == [str, str]:
            return cls(*given)
        raise InvalidRequest(
            f"A {type(given).__name__} is no call: give a path, (method, path), or a Call."
        )
