"""Every key of API_CLIENTS[alias], with its default and its type: the one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

from .numbers import BYTES, COUNT, SECONDS, WAIT

REQUIRED: Final = object()

Timeout = float | tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a client's settings: its default and its type.

    With `most` it is a number above zero, and no larger than that.
    """

    default: Any
    kind: Any
    most: int | None = None


KEYS: Mapping[str, Key] = MappingProxyType(
    {
        "BASE_URL": Key(REQUIRED, str),
        "AUTH": Key({"BACKEND": "apiclient_app.auth.NoAuth"}, dict),
        "CACHE": Key("default", str),
        "HEADERS": Key({}, Mapping[str, str]),
        "PROXIES": Key(None, Mapping[str, str] | None),
        "VERIFY": Key(True, bool | str),
        "CERT": Key(None, str | tuple[str, ...] | None),
        "TIMEOUT": Key((3.05, 27), Timeout),
        "POOL_SIZE": Key(10, int, COUNT),
        "SESSION": Key(None, str | Callable | None),
        "ENGINE": Key("requests", Literal["requests", "curl"]),
        "CONCURRENCY": Key(60, int, COUNT),
        "EXPIRED": Key({"status": [401]}, dict | list | str | Callable),
        "RAISE_FOR_STATUS": Key(True, bool),
        "TOKEN_TIMEOUT": Key(None, float | None, WAIT),
        "CHECK": Key("", str),
        "ALLOW_HTTP": Key(False, bool),
        "ENDPOINTS": Key({}, Mapping[str, str]),
        "MEMORY_SECONDS": Key(5.0, float, SECONDS),
        "RETRY": Key(None, int | dict | None),
        "RATE_LIMIT": Key(None, str | tuple[Any, ...] | dict | None),
        "MAX_IN_FLIGHT": Key(None, int | None, COUNT),
        "DEADLINE": Key(None, float | None, WAIT),
        "BREAKER": Key(None, bool | dict | None),
        "RESPONSE_LIMIT": Key(134_217_728, int | None, BYTES),
    }
)
