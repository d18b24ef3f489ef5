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
    clients = _mapping(getattr(settings, "API_CLIENTS", {}))
    auths = (_mapping(_mapping(client).get("AUTH")) for client in clients.values())
    options = [_mapping(auth.get("OPTIONS")) for auth in auths]
    return frozenset(str(given["query"]) for given in options if "query" in given)


def _mapping(value: Any) -> Mapping[Any, Any]:
    # Wrong settings are for the checks to tell: everybody's calls come by here.
    return value if isinstance(value, Mapping) else {}


def install() -> None:
    for name in ("urllib3.connectionpool", "urllib3.util.retry"):
        logger = logging.getLogger(name)
        if not any(isinstance(f, QueryFilter) for f in logger.filters):
            logger.addFilter(QueryFilter())
