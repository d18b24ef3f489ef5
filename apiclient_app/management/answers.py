"""What came of calls, as documents: of responses, and of errors."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import requests
from django.utils.translation import gettext as _

from apiclient_app.call import Call
from apiclient_app.exceptions import APIClientError

from .bodies import is_json
from .lines import Line


def answer(line: Line, call: Call | None, given: Any, tag: Any = None) -> dict[str, Any]:
    """Give what came of a line, as JSON types, with the same names whatever it was: a response,
    or an error, which may have one."""
    failed = isinstance(given, BaseException)
    response = getattr(given, "response", None) if failed else given
    if response is None:
        seconds = time.monotonic() - line.began
    else:
        seconds = response.elapsed.total_seconds()
    kind, body = content(response)
    return {
        "number": line.number,
        "mark": line.mark,
        "tag": tag,
        "method": call.method if call else None,
        "path": call.path if call else None,
        "status": None if response is None else response.status_code,
        "elapsed": round(seconds, 6),
        "format": kind,
        "body": body,
        "error": {"class": type(given).__name__, "message": said(given)} if failed else None,
    }


def content(response: requests.Response | None) -> tuple[str | None, Any]:
    """Give the body, and what it is given as: "json", "text", or "base64" of what is neither."""
    if response is None:
        return None, None
    body = response.content or b""
    if is_json(response):
        try:
            document = json.loads(body, parse_constant=_no_json)
            json.dumps(document)
        except (ValueError, RecursionError):
            pass
        else:
            return "json", document
    try:
        text = body.decode(_charset(response))
    except (LookupError, ValueError):
        text = "\0"
    return ("base64", base64.b64encode(body).decode()) if "\0" in text else ("text", text)


def _charset(response: requests.Response) -> str:
    # requests takes text without a charset for Latin-1, which everything can be read as.
    told = "charset" in response.headers.get("Content-Type", "").lower()
    return (response.encoding if told else None) or "utf-8"


def _no_json(name: str) -> Any:
    raise ValueError(name)


def said(error: BaseException) -> str:
    if isinstance(error, APIClientError):
        return str(error)
    # Its text is not ours and may hold anything.
    return _("raised by the arguments of the call, or in the auth backend or the session")
