"""Keeping secrets in query strings out of urllib3's own DEBUG lines."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from .secret import MASK, SENSITIVE_NAME

_FIELD = re.compile(r"([?&])([^=&\s?]+)=([^&\s'\"]*)")


class QueryFilter(logging.Filter):
    """Masks query fields that are named like secrets, or that carry an ApiKey."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            names = _key_fields()
            record.args = tuple(
                _masked(a, names) if isinstance(a, str | BaseException) else a for a in record.args
            )
        return True


def _masked(value: Any, names: frozenset[str]) -> str:
    def masked(match: re.Match[str]) -> str:
        mark, name, content = match.groups()
        secret = name in names or SENSITIVE_NAME.search(name)
        return f"{mark}{name}={MASK if secret else content}"

    return _FIELD.sub(masked, str(value))


def _key_fields() -> frozenset[str]:
    clients = getattr(settings, "API_CLIENTS", {})
    options = (
        c.get("AUTH", {}).get("OPTIONS", {}) for c in clients.values() if isinstance(c, Mapping)
    )
    return frozenset(str(o["query"]) for o in options if isinstance(o, Mapping) and "query" in o)


def install() -> None:
    for name in ("urllib3.connectionpool", "urllib3.util.retry"):
        logger = logging.getLogger(name)
        if not any(isinstance(f, QueryFilter) for f in logger.filters):
            logger.addFilter(QueryFilter())
