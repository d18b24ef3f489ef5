"""The settings that guard a client's calls: RETRY, RATE_LIMIT, BREAKER, and plain limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from apiclient_app.auth.headers import named
from apiclient_app.guard.circuit import Breaker
from apiclient_app.guard.rates import LEARNED, RateLimit, allowance
from apiclient_app.guard.retries import Retry

from .numbers import COUNT, SECONDS, amiss, is_number
from .problems import at
from .unusable import wrong

IDEMPOTENCY_KEY = "Idempotency-Key"
# Headers that the request, the token or the connection has another use for.
TAKEN = re.compile(
    r"accept.*|authorization|connection|content-.*|cookie|date|expect|host|keep-alive|proxy-.*"
    r"|range|referer|te|trailer|transfer-encoding|upgrade|user-agent",
    re.IGNORECASE,
)
RATES = 'Give "100/minute", or a list: ["10/second", "1000/hour"].'


def read_retry(value: Any) -> Retry | None:
    if value is None:
        return None
    given = {"attempts": value} if isinstance(value, int) else dict(value)
    _known(given, [f.name for f in fields(Retry)])
    attempts = given.get("attempts", 3)
    if type(attempts) is not int or not 1 <= attempts <= 100:
        raise wrong("is not a number of attempts.", "Give 3: the first, and two more.")
    for name, most in (("backoff", SECONDS), ("longest", SECONDS), ("budget", COUNT)):
        _number(given, name, most, zero=True)
    if "statuses" in given:
        statuses = _listed(given["statuses"], "statuses", int)
        if not all(100 <= status <= 999 for status in statuses):
            raise wrong("names what is no status.", "Give [429, 503].", at("statuses"))
        given["statuses"] = frozenset(statuses)
    if "methods" in given:
        methods = _listed(given["methods"], "methods", str)
        if not all(map(named, methods)):
            raise wrong("names what is no method.", 'Give ["GET", "PUT"].', at("methods"))
        given["methods"] = frozenset(method.upper() for method in methods)
    given["idempotency_key"] = _key_header(given.get("idempotency_key", False))
    return Retry(**given)


def _key_header(key: Any) -> str:
    if isinstance(key, bool):
        return IDEMPOTENCY_KEY if key else ""
    remedy, inner = "Give True, or a header's name.", at("idempotency_key")
    if not isinstance(key, str) or not named(key):
        raise wrong("is not the name of a header.", remedy, inner)
    if TAKEN.fullmatch(key):
        raise wrong("is a header that says something else.", remedy, inner)
    return key


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
    if not texts or not isinstance(texts, list | tuple):
        raise wrong("names no rate.", RATES)
    if len(texts) > 1 and LEARNED in texts:
        raise wrong(
            f'has "{LEARNED}" beside rates.', "Leave it out: what the API says counts too."
        )
    if LEARNED in texts:
        texts = []
    try:
        allowances = tuple(allowance(text) for text in texts)
    except (ValueError, TypeError):
        raise wrong("is not a rate.", RATES) from None
    if any(each.seconds > SECONDS for each in allowances):
        raise wrong("is of more than three years.", RATES)
    return RateLimit(allowances=allowances, per_subject=per == "subject")


def read_breaker(value: Any) -> Breaker | None:
    if value is None or value is False:
        return None
    given = {} if value is True else dict(value)
    _known(given, [f.name for f in fields(Breaker)])
    if type(given.get("failures", 1)) is not int:
        raise wrong("is not a number of failures.", "Give 10.", at("failures"))
    for name, most in (("failures", COUNT), ("window", SECONDS), ("pause", SECONDS)):
        _number(given, name, most)
    _number(given, "share", COUNT)
    if given.get("share", 0) > 1:
        raise wrong("is more than all.", "Give a share of the calls: 0.5.", at("share"))
    return Breaker(**given)


def _known(given: Mapping[Any, Any], names: list[str]) -> None:
    unknown = [str(name) for name in given if name not in names]
    if unknown:
        raise wrong(f"has unknown keys: {', '.join(unknown)}.", f"Use {', '.join(names)}.")


def _number(given: Mapping[str, Any], name: str, most: int, *, zero: bool = False) -> None:
    value = given.get(name, most)
    if not is_number(value):
        raise wrong("is not a number.", "Give a number.", at(name))
    text, remedy = amiss(value, most, zero=zero)
    if text:
        raise wrong(text, remedy, at(name))


def _listed(value: Any, name: str, kind: type) -> Any:
    listed = isinstance(value, list | tuple | set | frozenset)
    if not listed or not all(type(each) is kind for each in value):
        example = "[429, 503]" if kind is int else '["GET", "PUT"]'
        raise wrong("is not a list of them.", f"Give {example}.", at(name))
    return value
