"""The settings that guard a client's calls: RETRY, RATE_LIMIT, BREAKER, and plain limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from math import isfinite
from typing import Any

from apiclient_app.guard.circuit import Breaker
from apiclient_app.guard.rates import LEARNED, RateLimit, allowance
from apiclient_app.guard.retries import Retry

from .problems import at
from .unusable import wrong

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
IDEMPOTENCY_KEY = "Idempotency-Key"
RATES = 'Give "100/minute", or a list: ["10/second", "1000/hour"].'


def read_retry(value: Any) -> Retry | None:
    if value is None:
        return None
    given = {"attempts": value} if isinstance(value, int) else dict(value)
    _known(given, [f.name for f in fields(Retry)])
    attempts = given.get("attempts", 3)
    if type(attempts) is not int or not 1 <= attempts <= 100:
        raise wrong("is not a number of attempts.", "Give 3: the first, and two more.")
    for name in ("backoff", "longest", "budget"):
        _not_negative(given, name)
    if "statuses" in given:
        given["statuses"] = frozenset(_listed(given["statuses"], "statuses", int))
    if "methods" in given:
        methods = _listed(given["methods"], "methods", str)
        given["methods"] = frozenset(method.upper() for method in methods)
    key = given.get("idempotency_key", False)
    if isinstance(key, bool):
        given["idempotency_key"] = IDEMPOTENCY_KEY if key else ""
    elif not isinstance(key, str) or not TOKEN.fullmatch(key):
        raise wrong(
            "is not the name of a header.", "Give True, or a header's name.", at("idempotency_key")
        )
    return Retry(**given)


def read_rate_limit(value: Any) -> RateLimit | None:
    if value is None:
        return None
    given = dict(value) if isinstance(value, Mapping) else {"limits": value}
    _known(given, ["limits", "per"])
    per = given.get("per", "client")
    if per not in ("client", "subject"):
        raise wrong("is neither.", 'Give "client" or "subject".', at("per"))
    limits = given.get("limits", LEARNED)
    texts = [limits] if isinstance(limits, str) else limits
    if texts == [LEARNED]:
        texts = []
    elif not texts or not isinstance(texts, list | tuple):
        raise wrong("names no rate.", RATES)
    try:
        allowances = tuple(allowance(text) for text in texts)
    except (ValueError, TypeError):
        raise wrong("is not a rate.", RATES) from None
    return RateLimit(allowances=allowances, per_subject=per == "subject")


def read_breaker(value: Any) -> Breaker | None:
    if value is None or value is False:
        return None
    given = {} if value is True else dict(value)
    _known(given, [f.name for f in fields(Breaker)])
    if type(given.get("failures", 1)) is not int or given.get("failures", 1) < 1:
        raise wrong("is not a number of failures.", "Give 10.", at("failures"))
    for name in ("share", "window", "pause"):
        _not_negative(given, name)
        if given.get(name) == 0:
            raise wrong("is zero.", "Give more.", at(name))
    if given.get("share", 0) > 1:
        raise wrong("is more than all.", "Give a share of the calls: 0.5.", at("share"))
    return Breaker(**given)


def _known(given: Mapping[Any, Any], names: list[str]) -> None:
    unknown = [str(name) for name in given if name not in names]
    if unknown:
        raise wrong(f"has unknown keys: {', '.join(unknown)}.", f"Use {', '.join(names)}.")


def _not_negative(given: Mapping[str, Any], name: str) -> None:
    value = given.get(name, 0.0)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not (isfinite(value) and value >= 0):
        raise wrong("is not a number from zero on.", "Give a number.", at(name))


def _listed(value: Any, name: str, kind: type) -> Any:
    listed = isinstance(value, list | tuple | set | frozenset)
    if not listed or not all(type(each) is kind for each in value):
        example = "[429, 503]" if kind is int else '["GET", "PUT"]'
        raise wrong("is not a list of them.", f"Give {example}.", at(name))
    return value
