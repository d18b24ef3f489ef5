"""Reading token replies tolerantly: what real providers send is not always what the RFC says."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Collection
from typing import Any, Literal

from apiclient_app.dates import instant, number
from apiclient_app.exceptions import TokenRefused, TokenUnavailable
from apiclient_app.expiry import MISSING, at_path
from apiclient_app.secret import Secret, one_line

from .messages import ABSURD_SECONDS, Reply

Unit = Literal["seconds", "milliseconds", "epoch", "datetime"]

TERMINAL_ERRORS = (
    "access_denied",
    "invalid_client",
    "invalid_grant",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
)
OF_THE_CLIENT = frozenset(TERMINAL_ERRORS) - {"invalid_grant"}
TRY_AGAIN = frozenset({408, 425, 429})
SAID_LIMIT = 4096
MILLISECONDS = 1e11  # as seconds, an epoch time above it is in the year 5138


def granted(reply: Reply, terminal: Collection[str]) -> dict[str, Any]:
    """Give the object of a reply that may hold a token; raise for one that says no.

    TokenRefused for the error codes in `terminal` (RFC 6749 section 5.2) and for a 4xx without a
    code; TokenUnavailable for the rest. An error counts with status 200 too.
    """
    if 300 <= reply.status < 400:
        raise TokenUnavailable(
            "the token endpoint redirects, and secrets are not sent after a redirect; configure "
            "its final URL",
            error=f"http_{reply.status}",
        )
    error, description = _error(reply)
    if error in terminal:
        raise TokenRefused(error, description)
    refused = 400 <= reply.status < 500 and reply.status not in TRY_AGAIN
    if refused and not error:
        raise TokenRefused(f"http_{reply.status}", description)
    if error or reply.status >= 400:
        code = error or f"http_{reply.status}"
        text = f"the token endpoint answered {reply.status}"
        raise TokenUnavailable(
            ": ".join(filter(None, (text, description))),
            error=code,
            retry_after=retry_after(reply.headers.get("retry-after", ""), reply.now),
        )
    return reply.json()


def _error(reply: Reply) -> tuple[str, str]:
    """Give error code and description of a reply; empty texts where it has none."""
    try:
        document = reply.json()
    except TokenUnavailable:
        return "", ""
    error: Any = document.get("error")
    description: Any = document.get("error_description")
    if isinstance(error, dict):  # {"error": {"code": …, "message": …}} of many JSON APIs
        error, description = error.get("code"), error.get("message")
    if not error or not isinstance(error, str | int):
        return "", ""
    # Cut short only after redaction: half a secret is not recognised as one.
    said = description if isinstance(description, str) else ""
    return one_line(str(error), SAID_LIMIT), one_line(said, SAID_LIMIT)


def retry_after(value: str, now: float) -> float | None:
    """Give Retry-After in seconds (RFC 9110 section 10.2.3); None if absent or garbage.

    At most ten years: more than that is no date any more when callers add it to one.
    """
    seconds = number(value)
    if seconds is None and (moment := instant(value)) is not None:
        seconds = moment - now
    return None if seconds is None else min(max(0.0, seconds), ABSURD_SECONDS)


def asked(headers: Any, now: float) -> float | None:
    """Give the seconds of a response's Retry-After; a date counts by the server's own clock."""
    value = headers.get("Retry-After")
    if not value:
        return None
    there = instant(headers.get("Date"))
    return retry_after(value, now if there is None else there)


def life(value: Any, unit: Unit, now: float) -> float | None:
    """Give the life in seconds that `value` means; None if unknown, spent or absurd."""
    if unit == "datetime":
        moment = instant(value)
        seconds = None if moment is None else moment - now
    else:
        seconds = number(value)
        if seconds is not None and unit == "milliseconds":
            seconds /= 1000
        elif seconds is not None and unit == "epoch":
            seconds = (seconds / 1000 if seconds > MILLISECONDS else seconds) - now
    return seconds if seconds is not None and 0 < seconds < ABSURD_SECONDS else None


def jwt_life(token: str, now: float) -> float | None:
    """Give the life that a JWT tells of itself (RFC 7519 section 4.1.4); None for other tokens.

    Not verified: whoever gave the token could as well have said so beside it.
    """
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return None
    return life(claims.get("exp"), "epoch", now) if isinstance(claims, dict) else None


def token_text(document: Any, path: str) -> str:
    """Give the token at a dotted path; TokenUnavailable if there is none."""
    text = at_path(document, path)
    if not isinstance(text, str) or not text.strip():
        found = "nothing" if text is MISSING or text == "" else f"a {type(text).__name__}"
        raise TokenUnavailable(
            f"the token endpoint's reply has {found} at {path!r} where the token was due",
            error="no_token",
        )
    return text.strip()


def refresh_token_at(document: Any, path: str) -> Secret[str] | None:
    """Give the refresh token at a dotted path; None for what could not be sent back."""
    found = at_path(document, path)
    text = str(found) if isinstance(found, int) and not isinstance(found, bool) else found
    if not isinstance(text, str) or not text.strip():
        return None
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return None
    return Secret(text)
