"""Every key of API_CLIENTS[alias], with its default and its type: the one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

REQUIRED: Final = object()

Timeout = float | tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a client's settings: its default and its type."""

    default: Any
    kind: Any


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
        "POOL_SIZE": Key(10, int),
        "SESSION": Key(None, str | Callable | None),
        "ENGINE": Key("requests", Literal["requests", "curl"]),
        "CONCURRENCY": Key(60, int),
        "EXPIRED": Key({"status": [401]}, dict | list | str | Callable),
        "RAISE_FOR_STATUS": Key(True, bool),
        "TOKEN_TIMEOUT": Key(None, float | None),
        "CHECK": Key("", str),
        "ALLOW_HTTP": Key(False, bool),
        "ENDPOINTS": Key({}, Mapping[str, str]),
        "MEMORY_SECONDS": Key(5.0, float),
        "RETRY": Key(None, int | dict | None),
        "RATE_LIMIT": Key(None, str | list | dict | None),
        "MAX_IN_FLIGHT": Key(None, int | None),
        "DEADLINE": Key(None, float | None),
        "BREAKER": Key(None, bool | dict | None),
        "RESPONSE_LIMIT": Key(134_217_728, int | None),
    }
)
POSITIVE = (
    *("POOL_SIZE", "CONCURRENCY", "TOKEN_TIMEOUT", "MEMORY_SECONDS"),
    *("MAX_IN_FLIGHT", "DEADLINE", "RESPONSE_LIMIT"),
)
