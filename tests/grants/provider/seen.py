"""What the provider writes down: token requests, and when it last took or refused a token."""

import json
import time
from collections.abc import Callable
from hashlib import sha256
from threading import Lock
from typing import Any

from django.http import HttpRequest, HttpResponse

Answer = Callable[[HttpRequest], HttpResponse]

# In memory: the provider is one process with many threads.
asked: list[dict[str, Any]] = []
latest: dict[int, float] = {}
_lock = Lock()


def journal(answer: Answer) -> Answer:
    """Middleware: note token requests, with which refresh token they were made, and calls."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        if request.path.startswith("/api/"):
            latest[response.status_code] = time.time()
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
        return response

    return middleware
