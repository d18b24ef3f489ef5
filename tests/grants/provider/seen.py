"""What the provider writes down: token requests, and when it last took whose call."""

import json
import time
from collections.abc import Callable
from hashlib import sha256
from threading import Lock
from typing import Any

from django.http import HttpRequest, HttpResponse

UNREST = ""  # beside the users: a call was refused, or a token asked for

Answer = Callable[[HttpRequest], HttpResponse]

# In memory: the provider is one process with many threads.
asked: list[dict[str, Any]] = []
latest: dict[str, float] = {}
_lock = Lock()


def journal(answer: Answer) -> Answer:
    """Middleware: note token requests, with which refresh token they were made, and calls."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        if request.path.startswith("/api/"):
            owner = getattr(request, "resource_owner", None)
            latest[owner.username if owner else UNREST] = time.time()
        elif request.path == "/o/token/":
            refresh_token = request.POST.get("refresh_token", "")
            entry = {
                "at": time.time(),
                "refresh_token": sha256(refresh_token.encode()).hexdigest(),
                "status": response.status_code,
                "error": json.loads(response.content).get("error", ""),
            }
            with _lock:
                asked.append(entry)
                latest[UNREST] = time.time()
        return response

    return middleware
